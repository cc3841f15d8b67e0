// A stored object with a few of its fields changed: what a read-modify-write makes. It spares decoding the object to
// change it and encoding the whole of it again.
//
// Invariants: each change names another field; a removal names a field of the base; changes of names that the base
// doesn't have are in the order in which they were set, and come after the base's fields. Immutable: a further change
// makes a new one.
internal import OfflineBytes

/// A stored object and changes to it.
final class OverlaidObject: Sendable {
    /// One changed field.
    struct Change: Sendable {
        let name: String
        /// The new value; nil where a field of the base is removed.
        let value: Value?
        /// Whether the base has the field.
        let isInBase: Bool
    }

    /// More changes are worth a list of all fields.
    private static let changeCountMax = 16

    let base: StoredObject
    let changes: [Change]
    let count: Int

    init(_ base: StoredObject, changes: [Change]) {
        self.base = base
        self.changes = changes
        count = changes.reduce(base.count) { count, change in
            change.isInBase ? (change.value == nil ? count - 1 : count) : count + 1
        }
    }

    func change(of name: String) -> Change? { changes.first { $0.name.hasSameUTF8(as: name) } }

    subscript(name: String) -> Value? {
        if let change = change(of: name) { return change.value }
        return base[name]
    }

    var fieldNames: [String] {
        base.fieldNames.filter { name in
            if let change = change(of: name) { change.value != nil } else { true }
        } + changes.lazy.filter { !$0.isInBase }.map(\.name)
    }

    /// The form of the document with this field set, or removed.
    func setting(_ name: String, _ value: Value?) -> Document.Storage {
        guard let index = changes.firstIndex(where: { $0.name.hasSameUTF8(as: name) }) else {
            let isInBase = base.contains(name)
            if value == nil, !isInBase { return .overlaid(self) }
            if changes.count >= OverlaidObject.changeCountMax {
                return asList(setting: name, value)
            }
            let change = Change(name: name, value: value, isInBase: isInBase)
            return .overlaid(OverlaidObject(base, changes: changes + [change]))
        }
        let old = changes[index]
        // A removed field that comes back is the last one, which only a list can say.
        if old.value == nil, value != nil { return asList(setting: name, value) }
        var changes = changes
        if value == nil, !old.isInBase {
            changes.remove(at: index)
            if changes.isEmpty { return .stored(base) }
        } else {
            changes[index] = Change(name: old.name, value: value, isInBase: old.isInBase)
        }
        return .overlaid(OverlaidObject(base, changes: changes))
    }

    /// The form of a stored document with this field set, or removed.
    static func setting(_ name: String, _ value: Value?, of base: StoredObject) -> Document.Storage
    {
        let isInBase = base.contains(name)
        if value == nil, !isInBase { return .stored(base) }
        let change = Change(name: name, value: value, isInBase: isInBase)
        return .overlaid(OverlaidObject(base, changes: [change]))
    }

    private func asList(setting name: String, _ value: Value?) -> Document.Storage {
        var fields = Document(overlaid: self).allFields
        fields.set(name, value)
        return .fields(fields)
    }
}

extension StoredObject {
    /// Whether there is a field with exactly this name.
    func contains(_ name: String) -> Bool {
        let name = FieldName(name, in: record.names)
        return unsafe withEncoded { unsafe $0.field(name) != nil }
    }
}

extension Document {
    init(overlaid object: OverlaidObject) { storage = .overlaid(object) }
}
