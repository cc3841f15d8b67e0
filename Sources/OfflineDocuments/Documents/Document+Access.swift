// Iteration, literals, equality and text of a document, in whatever form it is held.

/// Goes through a document's fields in order, decoding each when it comes to it.
struct FieldIterator: IteratorProtocol {
    private let document: Document
    /// A position in the list, or in the base's kept order and then in the changes.
    private var position = 0

    init(_ document: Document) {
        if case .including(let object) = document.storage {
            self.document = Document(distinct: object.allFields)
        } else {
            self.document = document
        }
    }

    mutating func next() -> Document.Field? {
        switch document.storage {
        case .sealed:
            return nil
        case .including:
            return nil  // `init` has made a list of it.
        case .fields(let fields):
            guard position < fields.count else { return nil }
            position += 1
            return fields[position - 1]
        case .stored(let object):
            guard position < object.count else { return nil }
            position += 1
            return object.field(position: position - 1)
        case .overlaid(let object):
            return next(in: object)
        }
    }

    private mutating func next(in object: OverlaidObject) -> Document.Field? {
        let baseCount = object.base.count
        while position < baseCount {
            position += 1
            let name = object.base.fieldName(position: position - 1)
            guard let change = object.change(of: name) else {
                return object.base.field(position: position - 1)
            }
            if let value = change.value { return Document.Field(name: name, value: value) }
        }
        while position - baseCount < object.changes.count {
            let change = object.changes[position - baseCount]
            position += 1
            if !change.isInBase, let value = change.value {
                return Document.Field(name: change.name, value: value)
            }
        }
        return nil
    }
}

extension StoredObject {
    /// The name at a place in kept order.
    func fieldName(position: Int) -> String {
        unsafe withEncoded { encoded in
            let layout = unsafe ContainerLayout(encoded.start)
            let index = unsafe layout.tableIndex(position: position)
            return unsafe encoded.field(at: index, layout).name(record.names)
        }
    }
}

/// The same as pairs, which are what a document's elements are to callers.
private struct PairIterator: IteratorProtocol {
    var fields: FieldIterator

    mutating func next() -> (name: String, value: Value)? {
        guard let field = fields.next() else { return nil }
        return (name: field.name, value: field.value)
    }
}

extension Document: Sequence {
    /// Its fields, in order.
    public func makeIterator() -> AnyIterator<(name: String, value: Value)> {
        AnyIterator(PairIterator(fields: FieldIterator(self)))
    }
}

extension Document: Hashable {
    /// Negative, zero or positive as `a` is before, equal to or after `b` in the order of objects.
    static func order(_ a: Document, _ b: Document) -> Int {
        if a.hasSameBytes(as: b) { return 0 }
        let left = a.fieldsByName
        let right = b.fieldsByName
        for index in 0..<Swift.min(left.count, right.count) {
            let names = String.orderByUTF8(left[index].name, right[index].name)
            if names != 0 { return names }
            let values = Value.order(left[index].value, right[index].value)
            if values != 0 { return values }
        }
        return left.count - right.count
    }

    private var fieldsByName: [Field] {
        allFields.sorted { String.orderByUTF8($0.name, $1.name) < 0 }
    }

    private func hasSameBytes(as other: Document) -> Bool {
        switch (storage, other.storage) {
        case (.stored(let a), .stored(let b)): return a.hasSameBytes(as: b)
        case (.sealed(let a), .sealed(let b)): return a == b
        default: return false
        }
    }

    /// Whether both have the same names with equal values, in whatever order.
    public static func == (a: Document, b: Document) -> Bool {
        if a.hasSameBytes(as: b) { return true }
        guard a.count == b.count, a.sealed == b.sealed else { return false }
        // Looking each name up is quadratic in a list of fields.
        if a.count > 32 { return order(a, b) == 0 }
        var iterator = FieldIterator(a)
        while let field = iterator.next() {
            guard let other = b[field.name], other == field.value else { return false }
        }
        return true
    }

    /// Hashes what `==` compares.
    public func hash(into hasher: inout Hasher) {
        // A sum doesn't depend on the order of its terms.
        var sum = 0
        var iterator = FieldIterator(self)
        while let field = iterator.next() {
            var one = Hasher()
            one.combine(field.name)
            one.combine(field.value)
            sum &+= one.finalize()
        }
        hasher.combine(count)
        hasher.combine(sum)
    }
}

extension Document: ExpressibleByDictionaryLiteral {
    /// A document from a dictionary literal; of two equal names the last value counts, in the first's place.
    public init(dictionaryLiteral elements: (String, Value)...) { self.init(fields: elements) }
}

extension Document: CustomStringConvertible {
    /// The document as JSON text.
    public var description: String { Value.object(self).json() }
}
