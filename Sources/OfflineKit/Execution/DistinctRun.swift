// The distinct values of one field. A value is kept as its key, which is the same for all equal values and sorts as they do; so
// the result doesn't depend on which of the equal values was met.
internal import OfflineBytes
import OfflineDocuments

/// Collects values.
struct DistinctValues {
    private let path: CompiledPath
    private var keys: Set<[UInt8]> = []
    private var scratch: [UInt8] = []

    init(_ path: FieldPath, in names: NameDictionary) {
        self.path = path.compiled(in: names)
    }

    /// Takes the record's values at the path: of an array its elements; of a missing field none.
    @unsafe
    mutating func add(_ record: RecordView) {
        let path = path
        unsafe record.root.visit(path) { value, isElement in
            guard let value = unsafe value else { return true }
            guard !isElement, unsafe value.kind == .array else {
                unsafe add(value, record.names)
                return true
            }
            for index in 0..<(unsafe value.count) {
                unsafe add(value.element(index), record.names)
            }
            return true
        }
    }

    @unsafe
    private mutating func add(_ value: EncodedValue, _ names: NameDictionary) {
        scratch.removeAll(keepingCapacity: true)
        unsafe KeyEncoder.append(value, names, to: &scratch)
        if !keys.contains(scratch) { keys.insert(scratch) }
    }

    /// Takes in a value by its key.
    mutating func add(_ key: [UInt8]) { keys.insert(key) }

    /// Null is among them.
    var hasNull: Bool { keys.contains(KeyEncoder.key(.null)) }

    /// The values, in the order of values.
    func values() throws -> [Value] {
        try keys.sorted { ByteOrder.compare($0, $1) < 0 }.map { try KeyDecoder.value($0) }
    }
}

extension QueryEngine {
    /// The distinct values of a field among the records that match.
    func distinct(_ collection: String, _ field: String, _ filters: Filter) throws -> [Value] {
        let path = try checked(collection) { try FilterParser.fieldPath(field) }
        let planner = try planner(
            collection, filters, .records(needed: nil), naming: [path])
        let names = view.names(of: planner.collection).dictionary
        if var scan = try DistinctScan(planner, path) {
            var values = DistinctValues(path, in: names)
            if try scan.add(to: &values) { return try values.values() }
        }
        let run = try run(planner)
        var values = DistinctValues(path, in: names)
        try unsafe run.forEachMatch(.paths([path])) { _, record in
            unsafe values.add(record)
            return true
        }
        return try values.values()
    }
}
