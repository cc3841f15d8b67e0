// Fields that a session doesn't see: taken out of what it reads, and put back into what it writes.
//
// A hidden path leads through objects, and through the objects of arrays, at any depth of these; it has no positions. What holds a
// hidden field keeps its shape: `a.b` hidden leaves {a: {}} of {a: {b: 1}}, and {a: [{}, 2]} of {a: [{b: 1}, 2]}.
//
// Whether a write is allowed never depends on whether there is a hidden value, only on what the session sees: else it would tell.
internal import OfflineDocuments

/// Some paths, with all that is below them.
struct HiddenFields: Sendable {
    static let none = HiddenFields([])

    /// None of them is another one, or in it.
    let paths: [[String]]
    private let root: HiddenNode

    init(_ paths: [[String]]) {
        var kept: [[String]] = []
        for path in paths.sorted(by: { $0.count < $1.count })
        where !kept.contains(where: { Self.isPrefix($0, of: path) }) {
            kept.append(path)
        }
        self.paths = kept
        root = kept.reduce(into: HiddenNode()) { $0.insert($1[...]) }
    }

    var isEmpty: Bool { paths.isEmpty }

    // MARK: Paths

    private static func isPrefix(_ a: [String], of b: [String]) -> Bool {
        a.count <= b.count && zip(a, b).allSatisfy { $0.hasSameUTF8(as: $1) }
    }

    /// The names of a query's path. What a number steps to isn't told apart: it may be an element of an array.
    private static func names(_ path: FieldPath) -> [String] {
        path.components.filter { $0.position == nil }.map(\.name)
    }

    /// Whether all that is at the path is hidden.
    func covers(_ path: FieldPath) -> Bool {
        if isEmpty { return false }
        let names = Self.names(path)
        return paths.contains { Self.isPrefix($0, of: names) }
    }

    /// Whether anything at the path is hidden, or may be.
    func touches(_ path: FieldPath) -> Bool { touches(Self.names(path)) }

    /// The same for a path's names.
    func touches(_ names: [String]) -> Bool {
        paths.contains { Self.isPrefix($0, of: names) || Self.isPrefix(names, of: $0) }
    }

    /// What both hide.
    func common(with other: HiddenFields) -> HiddenFields {
        HiddenFields(
            paths.filter { path in other.paths.contains { Self.isPrefix($0, of: path) } }
                + other.paths.filter { path in paths.contains { Self.isPrefix($0, of: path) } })
    }

    /// Whether this hides all that the other one does.
    func hides(_ other: HiddenFields) -> Bool {
        other.paths.allSatisfy { path in paths.contains { Self.isPrefix($0, of: path) } }
    }

    /// What either hides.
    func union(_ other: HiddenFields) -> HiddenFields {
        other.isEmpty ? self : isEmpty ? other : HiddenFields(paths + other.paths)
    }

    // MARK: Documents

    /// What is left of the document.
    func masked(_ document: Document) -> Document {
        isEmpty ? document : root.masked(document)
    }

    /// Whether the document has nothing hidden.
    func areMissing(in document: Document) -> Bool {
        isEmpty || root.masked(document) == document
    }

    /// `new`, which a session wants in the place of `old`, of which it sees the masked part, with what is hidden in `old`; nil where
    /// `new` has hidden fields, or hasn't the place for those of `old`.
    func restored(_ new: Document, from old: Document) -> Document? {
        isEmpty ? new : root.restored(new, from: old)
    }

    /// Whether what is hidden is the same in both. Arrays with anything hidden in them are the same as a whole or not at all.
    func areSame(in new: Document, as old: Document) -> Bool {
        isEmpty || root.isSame(new, old)
    }
}

/// What is hidden below a value.
private struct HiddenNode: Sendable {
    var isHidden = false
    var children: [(name: String, node: HiddenNode)] = []

    mutating func insert(_ path: ArraySlice<String>) {
        guard let name = path.first else {
            isHidden = true
            return
        }
        let index = children.firstIndex { $0.name.hasSameUTF8(as: name) } ?? children.count
        if index == children.count { children.append((name, HiddenNode())) }
        children[index].node.insert(path.dropFirst())
    }

    func masked(_ document: Document) -> Document {
        var result = document
        for (name, node) in children {
            guard let value = document[name] else { continue }
            result[name] = node.isHidden ? nil : node.masked(value)
        }
        return result
    }

    private func masked(_ value: Value) -> Value {
        switch value {
        case .object(let object): .object(masked(object))
        case .array(let elements): .array(elements.map(masked))
        default: value
        }
    }

    func restored(_ new: Document, from old: Document) -> Document? {
        var result = new
        for (name, node) in children {
            let (wanted, stored) = (new[name], old[name])
            if node.isHidden {
                if wanted != nil { return nil }
                if let stored { result[name] = stored }
            } else {
                guard case .allowed(let value) = node.restored(wanted, from: stored) else {
                    return nil
                }
                result[name] = value
            }
        }
        return result
    }

    func isSame(_ new: Document, _ old: Document) -> Bool {
        children.allSatisfy { name, node in
            node.isHidden ? new[name] == old[name] : node.isSame(new[name], old[name])
        }
    }

    private func isSame(_ new: Value?, _ old: Value?) -> Bool {
        if case (.object(let new)?, .object(let old)?) = (new, old) { return isSame(new, old) }
        return new == old || new == new.map(masked) && old == old.map(masked)
    }

    private static func holdObject(_ elements: [Value]) -> Bool {
        elements.contains { element in
            switch element {
            case .object: true
            case .array(let inner): holdObject(inner)
            default: false
            }
        }
    }

    private enum Restored {
        case allowed(Value?)
        case refused
    }

    private func restored(_ new: Value?, from old: Value?) -> Restored {
        if new == old.map(masked) { return .allowed(old) }
        switch (new, old) {
        case (.object(let object)?, .object(let stored)?):
            return restored(object, from: stored).map { .allowed(.object($0)) } ?? .refused
        case (_, .object?): return .refused
        // Nobody could say which element is which.
        case (_, .array(let elements)?) where Self.holdObject(elements): return .refused
        default: return new == new.map(masked) ? .allowed(new) : .refused
        }
    }
}
