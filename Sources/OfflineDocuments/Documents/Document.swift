// Named fields in an order of their own: a record, or an object within one.
//
// Invariants: names are distinct by their UTF-8 bytes; the order of fields is that in which they were first set, and no
// comparison sees it.

/// Named fields in an order that is kept for output and iteration and ignored by `==`.
///
/// Copy-on-write; fields read from the store are decoded when asked for. It owns its bytes: keeping one keeps no file open.
///
/// ```swift
/// var user: Document = ["name": "Ada", "address": ["city": "London"]]
/// user["age"] = 36
/// user.value(at: "address.city") == "London"
/// ```
public struct Document: Sendable {
    /// One field.
    struct Field: Sendable {
        var name: String
        var value: Value
    }

    private var fields: [Field]

    /// A document without fields.
    public init() { fields = [] }

    /// A document of these fields in this order; of two equal names the last value counts, in the first's place.
    public init(fields: some Sequence<(String, Value)>) {
        self.fields = []
        self.fields.reserveCapacity(fields.underestimatedCount)
        for (name, value) in fields { self[name] = value }
    }

    /// How many fields it has.
    public var count: Int { fields.count }

    /// Whether it has none.
    public var isEmpty: Bool { fields.isEmpty }

    /// The names of its fields, in order.
    public var fieldNames: [String] { fields.map(\.name) }

    /// A top-level field, by its exact name. Assigning nil removes it.
    public subscript(field: String) -> Value? {
        get { fields.first { $0.name.hasSameUTF8(as: field) }?.value }
        set {
            let index = fields.firstIndex { $0.name.hasSameUTF8(as: field) }
            switch (index, newValue) {
            case (let index?, let value?): fields[index].value = value
            case (let index?, nil): fields.remove(at: index)
            case (nil, let value?): fields.append(Field(name: field, value: value))
            case (nil, nil): break
            }
        }
    }
}

extension Document: Sequence {
    /// Its fields, in order.
    public func makeIterator() -> AnyIterator<(name: String, value: Value)> {
        var rest = fields.makeIterator()
        return AnyIterator { rest.next().map { (name: $0.name, value: $0.value) } }
    }
}

extension Document: Hashable {
    /// Negative, zero or positive as `a` is before, equal to or after `b` in the order of objects.
    static func order(_ a: Document, _ b: Document) -> Int {
        let left = a.fields.sorted { String.orderByUTF8($0.name, $1.name) < 0 }
        let right = b.fields.sorted { String.orderByUTF8($0.name, $1.name) < 0 }
        for index in 0..<Swift.min(left.count, right.count) {
            let names = String.orderByUTF8(left[index].name, right[index].name)
            if names != 0 { return names }
            let values = Value.order(left[index].value, right[index].value)
            if values != 0 { return values }
        }
        return left.count - right.count
    }

    /// Whether both have the same names with equal values, in whatever order.
    public static func == (a: Document, b: Document) -> Bool {
        a.count == b.count && a.fields.allSatisfy { b[$0.name] == $0.value }
    }

    /// Hashes what `==` compares.
    public func hash(into hasher: inout Hasher) {
        // A sum doesn't depend on the order of its terms.
        var sum = 0
        for field in fields {
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
