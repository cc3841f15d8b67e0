// Named fields in an order of their own: a record, or an object within one.
//
// It is held in one of five forms, which no one can tell apart but by their speed:
//   fields     a list; what was built in memory
//   stored     an object in encoded bytes; each field is decoded when it is asked for
//   overlaid   a stored object and a few changed fields; encoding it splices them into the stored bytes
//   including  a document and what a query put over its fields, which is seen, but never encoded
//   sealed     what stands for a sealed value that isn't opened: no fields to whoever looks, stored as it was
//
// Invariants: names are distinct by their UTF-8 bytes; the order of fields is that in which they were first set (a field
// that was removed and set again is last), and no comparison sees it; stored bytes never change, so copies share them.
package import OfflineBytes

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

    enum Storage: Sendable {
        case fields([Field])
        case stored(StoredObject)
        case overlaid(OverlaidObject)
        case including(IncludingObject)
        case sealed(SealedValue)
    }

    var storage: Storage

    /// A document without fields.
    public init() { storage = .fields([]) }

    /// A document of these fields in this order; of two equal names the last value counts, in the first's place.
    public init(fields: some Sequence<(String, Value)>) {
        var list = FieldList(capacity: fields.underestimatedCount)
        for (name, value) in fields { list.set(name, value) }
        storage = .fields(list.fields)
    }

    /// The document of a record's bytes, which have passed `RecordValidator` with these names or fewer.
    package init(record: [UInt8], names: NameDictionary) {
        self = unsafe record.withUnsafeBytes {
            unsafe Document(copying: RecordView($0, names: names))
        }
    }

    init(_ object: StoredObject) { storage = .stored(object) }

    /// A document of fields whose names are known to be distinct.
    init(distinct fields: [Field]) { storage = .fields(fields) }
}

extension Document {
    /// How many fields it has.
    public var count: Int {
        switch storage {
        case .fields(let fields): fields.count
        case .stored(let object): object.count
        case .overlaid(let object): object.count
        case .including(let object): object.count
        case .sealed: 0
        }
    }

    /// Whether it has none.
    public var isEmpty: Bool { count == 0 }

    /// The names of its fields, in order.
    public var fieldNames: [String] {
        switch storage {
        case .fields(let fields): fields.map(\.name)
        case .stored(let object): object.fieldNames
        case .overlaid(let object): object.fieldNames
        case .including(let object): object.fieldNames
        case .sealed: []
        }
    }

    /// A top-level field, by its exact name. Assigning nil removes it.
    public subscript(field: String) -> Value? {
        get {
            switch storage {
            case .fields(let fields): fields.first { $0.name.hasSameUTF8(as: field) }?.value
            case .stored(let object): object[field]
            case .overlaid(let object): object[field]
            case .including(let object): object[field]
            case .sealed: nil
            }
        }
        set {
            switch storage {
            case .fields(var fields):
                // The list is taken out of the document, so that it is changed in place and not copied.
                storage = .fields([])
                fields.set(field, newValue)
                storage = .fields(fields)
            case .stored(let object):
                storage = OverlaidObject.setting(field, newValue, of: object)
            case .overlaid(let object):
                storage = object.setting(field, newValue)
            case .including(let object):
                self = object.setting(field, newValue)
            case .sealed:
                if let newValue {
                    storage = .fields([Field(name: field, value: newValue)])
                }
            }
        }
    }

    /// All fields, in order, decoded.
    var allFields: [Field] {
        if case .fields(let fields) = storage { return fields }
        if case .including(let object) = storage { return object.allFields }
        var result: [Field] = []
        result.reserveCapacity(count)
        var iterator = FieldIterator(self)
        while let field = iterator.next() { result.append(field) }
        return result
    }
}

extension [Document.Field] {
    /// Sets a field in its place, or appends it; nil removes it.
    mutating func set(_ name: String, _ value: Value?) {
        let index = firstIndex { $0.name.hasSameUTF8(as: name) }
        switch (index, value) {
        case (let index?, let value?): self[index].value = value
        case (let index?, nil): remove(at: index)
        case (nil, let value?): append(Document.Field(name: name, value: value))
        case (nil, nil): break
        }
    }
}

/// A list of fields being built, which finds a repeated name in constant time however many there are.
struct FieldList {
    /// So many names are compared one by one; more are looked up in a table.
    private static let linearCountMax = 16

    private(set) var fields: [Document.Field] = []
    private var positions: [ExactString: Int] = [:]

    init(capacity: Int) { fields.reserveCapacity(capacity) }

    /// Appends a field; of a name that is there already, replaces the value in its place.
    mutating func set(_ name: String, _ value: Value) {
        if fields.count <= FieldList.linearCountMax {
            fields.set(name, value)
            return
        }
        if positions.isEmpty {
            for (index, field) in fields.enumerated() { positions[ExactString(field.name)] = index }
        }
        if let index = positions[ExactString(name)] {
            fields[index].value = value
        } else {
            positions[ExactString(name)] = fields.count
            fields.append(Document.Field(name: name, value: value))
        }
    }
}
