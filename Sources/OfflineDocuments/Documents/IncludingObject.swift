// A document with what a query included in it: related records under the names of their relationships.
//
// An included value hides a field of the document's own with the same name, for reading only. Encoding sees nothing of it, so
// that such a document can be given back to an update: what was included is dropped, the record's own field stays. A
// name that is assigned to is the document's own again, and shows what was assigned.
//
// Invariants: included names are distinct, and there is at least one; `own` includes nothing itself. Immutable: a
// change makes a new one.

/// A document and what is included in it.
final class IncludingObject: Sendable {
    let own: Document
    let included: [Document.Field]
    let count: Int

    init(_ own: Document, included: [Document.Field]) {
        self.own = own
        self.included = included
        count = included.reduce(own.count) { own[$1.name] == nil ? $0 + 1 : $0 }
    }

    private func includedValue(_ name: String) -> Value? {
        included.first { $0.name.hasSameUTF8(as: name) }?.value
    }

    subscript(name: String) -> Value? { includedValue(name) ?? own[name] }

    /// The own names in their order, and behind them those that are only included.
    var fieldNames: [String] { allFields.map(\.name) }

    var allFields: [Document.Field] {
        var fields = own.allFields
        for field in included { fields.set(field.name, field.value) }
        return fields
    }

    /// The document with this field set, or removed.
    func setting(_ name: String, _ value: Value?) -> Document {
        var own = own
        own[name] = value
        return own.including(included.filter { !$0.name.hasSameUTF8(as: name) })
    }
}

extension Document {
    /// Puts `value` over the field `name`, as what a query included.
    package mutating func include(_ value: Value, as name: String) {
        var fields: [Field] = []
        var own = self
        if case .including(let object) = storage {
            fields = object.included
            own = object.own
        }
        fields.set(name, value)
        self = own.including(fields)
    }

    /// The document without what queries included in it.
    package var withoutIncludes: Document {
        if case .including(let object) = storage { return object.own }
        return self
    }

    fileprivate func including(_ fields: [Field]) -> Document {
        if fields.isEmpty { return self }
        var result = self
        result.storage = .including(IncludingObject(self, included: fields))
        return result
    }
}
