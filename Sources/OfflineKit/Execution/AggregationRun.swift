// Figures of groups of records. A group is known by the joined keys of its values, which sort as the values do.
//
// Records come in key order, whatever the plan, and integers are summed exactly: so no figure depends on which index was used,
// though sums of floating-point numbers depend on the order of what is added.
internal import OfflineBytes
import OfflineDocuments

/// Takes in records and gives each group's figures.
struct AggregationRun {
    private let aggregation: CheckedAggregation
    private let groupPaths: [BoundPath]
    /// Of each figure, what it measures; nil: records.
    private let figurePaths: [BoundPath?]
    /// Each group's place, by the joined keys of its values.
    private var groups: [[UInt8]: Int] = [:]
    /// The figures of one group after another.
    private var totals: [FigureTotal] = []
    private var scratch: [UInt8] = []

    init(_ aggregation: CheckedAggregation, in names: NameDictionary) {
        self.aggregation = aggregation
        groupPaths = aggregation.groupBy.map { BoundPath($0, in: names) }
        figurePaths = aggregation.figures.map { figure in
            figure.path.map { BoundPath($0, in: names) }
        }
        // All records together are a group even if there are none.
        if groupPaths.isEmpty { _ = place(of: []) }
    }

    private mutating func place(of group: [UInt8]) -> Int {
        if let place = groups[group] { return place }
        let place = groups.count
        groups[group] = place
        totals += repeatElement(FigureTotal(), count: figurePaths.count)
        return place
    }

    /// Takes a record.
    @unsafe
    mutating func add(_ record: RecordView) {
        scratch.removeAll(keepingCapacity: true)
        for path in groupPaths {
            if let value = unsafe path.resolve(in: record.root).value {
                unsafe KeyEncoder.append(value, record.names, to: &scratch)
            } else {
                KeyEncoder.append(.null, to: &scratch)
            }
        }
        let first = place(of: scratch) * figurePaths.count
        for (index, figure) in aggregation.figures.enumerated() {
            guard let path = figurePaths[index] else {
                totals[first + index].count += 1
                continue
            }
            guard let value = unsafe path.resolve(in: record.root).value else { continue }
            switch figure.measure {
            case .count: break
            case .sum, .average: unsafe totals[first + index].addNumber(value)
            case .minimum:
                unsafe totals[first + index].keep(value, record.names, &scratch) { $0 < 0 }
            case .maximum:
                unsafe totals[first + index].keep(value, record.names, &scratch) { $0 > 0 }
            }
        }
    }

    /// A document a group, in the order of the groups' values.
    func documents() throws -> [Document] {
        let sorted = groups.sorted { ByteOrder.compare($0.key, $1.key) < 0 }
        return try sorted.map { group, place in
            var document = Document()
            var offset = 0
            for path in aggregation.groupBy {
                document.set(try KeyDecoder.value(group, at: &offset), at: path.text)
            }
            for (index, figure) in aggregation.figures.enumerated() {
                let total = totals[place * aggregation.figures.count + index]
                document[figure.name] = try total.value(figure.measure)
            }
            return document
        }
    }
}

/// One figure of one group, while records are taken in.
private struct FigureTotal {
    /// How many records, or numbers, there were.
    var count = 0
    /// The sum of the integers. It can't overflow: there are fewer than 2^63 records.
    private var integers: Int128 = 0
    /// The sum of the doubles, and what was lost in rounding it (Neumaier's sum).
    private var doubles = 0.0
    private var lost = 0.0
    private var hasDoubles = false
    /// The key of the least or greatest value; empty: none yet.
    private var best: [UInt8] = []

    @unsafe
    mutating func addNumber(_ value: EncodedValue) {
        switch unsafe value.kind {
        case .int: unsafe integers += Int128(value.int)
        case .double:
            let double = unsafe value.double
            let sum = doubles + double
            lost +=
                doubles.magnitude >= double.magnitude
                ? (doubles - sum) + double : (double - sum) + doubles
            doubles = sum
            hasDoubles = true
        default: return
        }
        count += 1
    }

    /// Keeps the value if `isBetter` of its order to the one that is kept.
    @unsafe
    mutating func keep(
        _ value: EncodedValue, _ names: NameDictionary, _ scratch: inout [UInt8],
        where isBetter: (Int) -> Bool
    ) {
        if unsafe value.kind == .null { return }
        scratch.removeAll(keepingCapacity: true)
        unsafe KeyEncoder.append(value, names, to: &scratch)
        if best.isEmpty || isBetter(ByteOrder.compare(scratch, best)) { best = scratch }
    }

    func value(_ measure: Aggregation.Measure) throws -> Value {
        switch measure {
        case .count: .int(Int64(count))
        case .sum:
            if !hasDoubles, let sum = Int64(exactly: integers) { .int(sum) } else { .double(sum) }
        case .average: count == 0 ? .null : .double(sum / Double(count))
        case .minimum, .maximum: best.isEmpty ? .null : try KeyDecoder.value(best)
        }
    }

    private var sum: Double {
        // Of infinities nothing is lost that could be added again.
        Double(integers) + (doubles.isFinite ? doubles + lost : doubles)
    }
}

extension QueryEngine {
    /// The figures of the records that match.
    func aggregate(_ collection: String, _ aggregation: Aggregation) throws -> [Document] {
        let checked = try checked(collection) { try CheckedAggregation(aggregation) }
        let run = try run(
            collection, aggregation.filters, .records(needed: nil), naming: checked.namedPaths)
        var groups = AggregationRun(checked, in: run.names)
        try unsafe run.forEachMatch(.paths(checked.namedPaths)) { _, record in
            unsafe groups.add(record)
            return true
        }
        return try groups.documents()
    }
}
