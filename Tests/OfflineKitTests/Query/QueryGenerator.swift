// Random records and queries from a small world, so that values collide, tie and miss each other often, and every kind of
// value meets every operator.
import Foundation
import OfflineKit

/// A generator whose whole sequence follows from its seed (SplitMix64).
struct QueryRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
    mutating func pick<T>(_ choices: [T]) -> T { choices[below(choices.count)] }
}

/// Records and queries of one world.
struct QueryGenerator {
    var random: QueryRandom
    /// Whether records have arrays: an index serves more without.
    var hasArrays: Bool
    /// Whether there are many arrays in arrays, and filters that ask for what is in them by position.
    let hasNestedArrays: Bool
    /// Whether records have strings that don't fit an index key.
    var hasLongStrings: Bool
    /// Paths that filters ask more often than others.
    var indexed: [String] = []
    /// The path whose condition is made.
    private var asked: String?

    static let paths = [
        "a", "a", "a", "b", "b", "b", "c", "c", "a.x", "a.x", "a.y", "b.x", "a.x.y", "a.0", "a.1",
        "b.0.x", "a.x.0", "a.0.x", "missing",
    ]

    init(seed: UInt64) {
        random = QueryRandom(seed: seed)
        hasArrays = random.chance(50)
        let isNested = random.chance(25)
        hasNestedArrays = hasArrays && isNested
        hasLongStrings = random.chance(30)
    }

    // MARK: Values

    mutating func scalar() -> Value {
        if hasLongStrings, random.chance(35) { return .string(longString()) }
        if random.chance(35) { return .int(Int64(random.below(3))) }
        if random.chance(4) { return .double(.nan) }
        switch random.below(14) {
        case 0: return .null
        case 1, 2, 3: return .int(Int64(random.below(5)))
        case 4: return .double(random.pick([1, 2, 1.5, 2.5, -0.0, -1]))
        case 5: return .double(random.pick([.nan, .infinity, -.infinity]))
        case 6:
            return random.pick([
                .int(1 << 53), .int((1 << 53) + 1), .double(0x1p53), .int(.max), .double(0x1p63),
            ])
        case 7, 8, 9:
            return .string(text())
        case 10: return .bool(random.chance(50))
        case 11: return .date(Date(timeIntervalSinceReferenceDate: Double(random.below(3)) - 1))
        case 12: return .data(Data(random.pick([[], [0], [1], [0, 1]])))
        default: return .int(Int64(random.below(3)))
        }
    }

    private mutating func text() -> String {
        random.pick([
            "", "a", "ab", "b", "A", "aB", "\u{0}", "é", "É", "e\u{301}", "ß", "ss", "aß\n", "xab",
        ])
    }

    /// Strings that differ only behind what an index key holds.
    private mutating func longString() -> String {
        String(repeating: "x", count: random.pick([505, 520, 600])) + random.pick(["", "a", "b"])
    }

    mutating func value(depth: Int = 0) -> Value {
        if depth < 3, hasArrays, random.chance(hasNestedArrays ? 50 : 22) {
            return .array((0..<random.below(4)).map { _ in value(depth: depth + 1) })
        }
        if depth < 3, random.chance(25) { return .object(object(depth: depth + 1)) }
        return scalar()
    }

    private mutating func object(depth: Int) -> Document {
        var object = Document()
        for name in ["x", "y", "0"] where random.chance(name == "0" ? 8 : 60) {
            object[name] = value(depth: depth)
        }
        return object
    }

    /// Records with distinct keys, in no order.
    mutating func records(_ count: Int, keyPaths: [String]) -> [Document] {
        let isText = random.chance(30)
        return (0..<count).map { number in
            var record = Document()
            for name in ["c", "a", "b"] where random.chance(85) { record[name] = value() }
            if keyPaths.count > 1 {
                record[keyPaths[0]] = .int(Int64(number % 4))
                record[keyPaths[1]] = isText ? .string("k\(number)") : .int(Int64(number))
            } else {
                record[keyPaths[0]] = isText ? .string("k\(number)") : .int(Int64(number))
            }
            return record
        }.shuffled(using: &random)
    }

    // MARK: Queries

    /// A value to compare with; often one that is there, at any path or at the one that is asked, and then perhaps in an
    /// array.
    private mutating func operand(_ records: [Document]) -> Value {
        if let asked, random.chance(hasNestedArrays ? 70 : 30),
            let value = records.compactMap({ $0.value(at: asked) }).randomElement(using: &random)
        {
            guard let element = value.arrayValue?.randomElement(using: &random) else {
                return value
            }
            return random.chance(60) ? element : value
        }
        if random.chance(50), let record = records.randomElement(using: &random) {
            let path = random.pick(QueryGenerator.paths)
            if let value = record.value(at: path) { return value }
        }
        return hasArrays ? value(depth: 1) : scalar()
    }

    mutating func filter(_ records: [Document], _ keyPaths: [String], depth: Int = 0) -> Document {
        var filter = Document()
        for _ in 0..<random.pick([0, 0, 1, 1, 1, 1, 1, 2, 2, 3]) {
            if depth < 2, random.chance(18) {
                let filters = (0...random.below(2)).map { _ in
                    Value.object(self.filter(records, keyPaths, depth: depth + 1))
                }
                filter[random.pick(["$and", "$or", "$nor"])] = .array(filters)
            } else {
                let path = path(keyPaths)
                asked = path
                filter[path] = condition(records)
                asked = nil
            }
        }
        return filter
    }

    private mutating func path(_ keyPaths: [String]) -> String {
        if !indexed.isEmpty, random.chance(hasNestedArrays ? 50 : 30) {
            return random.pick(indexed)
        }
        return random.chance(12) ? random.pick(keyPaths) : random.pick(Self.paths)
    }

    private mutating func condition(_ records: [Document]) -> Value {
        if random.chance(25) {
            let value = operand(records)
            // An object here would be read as operators if it had none but `$` names; ours have none.
            return value
        }
        if hasNestedArrays, asked?.hasSuffix(".0") == true, random.chance(60) {
            switch random.below(3) {
            case 0: return ["$contains": operand(records)]
            case 1: return ["$elemMatch": ["$gte": operand(records)]]
            default: return ["$all": [["$elemMatch": ["$eq": operand(records)]]]]
            }
        }
        return .object(operators(records, depth: 0))
    }

    private mutating func operators(_ records: [Document], depth: Int) -> Document {
        var operators = Document()
        for _ in 0...(random.chance(30) ? 1 : 0) {
            let name = random.pick([
                "$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$gte", "$lte", "$in", "$in", "$nin",
                "$exists", "$not", "$between", "$between", "$type", "$regex", "$regex",
                "$startsWith", "$startsWith", "$endsWith", "$contains", "$all", "$elemMatch",
                "$size", "$mod",
            ])
            if depth >= 2, name == "$not" || name == "$elemMatch" { continue }
            operators[name] = operand(of: name, records, depth: depth)
            if name == "$regex", random.chance(30) {
                operators["$options"] = .string(random.pick(["i", "m", "s", "im", ""]))
            }
        }
        return operators.isEmpty ? ["$eq": operand(records)] : operators
    }

    private mutating func operand(
        of name: String, _ records: [Document], depth: Int
    ) -> Value {
        switch name {
        case "$in", "$nin":
            .array((0..<random.below(4)).map { _ in operand(records) })
        case "$all":
            .array((0..<random.below(4)).map { _ in wanted(records, depth: depth) })
        case "$exists": .bool(random.chance(50))
        case "$not": .object(operators(records, depth: depth + 1))
        case "$between": between(records)
        case "$type": type()
        case "$regex": .string(random.pick(NaiveRegex.known).text)
        case "$startsWith", "$endsWith": .string(hasLongStrings ? prefix() : text())
        case "$contains": random.chance(50) ? .string(text()) : operand(records)
        case "$elemMatch":
            random.chance(60)
                ? .object(operators(records, depth: depth + 1))
                : .object(elementFilter(records))
        case "$size": .int(Int64(random.below(4)))
        case "$mod":
            [random.pick([2, 3, -2, 2.5]), random.pick([0, 1, -1, 1.5])]
        default: operand(records)
        }
    }

    /// What `$all` wants: a value, or an element with what it says.
    private mutating func wanted(_ records: [Document], depth: Int) -> Value {
        guard depth < 2, random.chance(25) else { return operand(records) }
        return ["$elemMatch": operand(of: "$elemMatch", records, depth: depth)]
    }

    private mutating func between(_ records: [Document]) -> Value {
        let ends = [operand(records), operand(records)]
        // Mostly of one type, and the lesser first.
        if random.chance(20) { return .array(ends) }
        let numbers = [random.below(4), random.below(4)].sorted().map { Value.int(Int64($0)) }
        let isSorted = NaiveOrder.rank(ends[0]) == NaiveOrder.rank(ends[1])
        return .array(isSorted ? ends.sorted { NaiveOrder.compare($0, $1) < 0 } : numbers)
    }

    private mutating func type() -> Value {
        let names: [Value] = [
            "null", "bool", "int", "double", "number", "string", "data", "date", "array", "object",
        ]
        if random.chance(70) { return random.pick(names) }
        return [random.pick(names), random.pick(names)]
    }

    /// What long strings begin with, up to and beyond what an index key holds.
    private mutating func prefix() -> String {
        random.chance(50)
            ? text() : String(repeating: "x", count: random.pick([1, 505, 511, 512, 513, 520]))
    }

    private mutating func elementFilter(_ records: [Document]) -> Document {
        var filter = Document()
        for name in ["x", "y", "x.0"] where random.chance(name == "x.0" ? 25 : 60) {
            filter[name] = condition(records)
        }
        return filter
    }

    mutating func query(_ records: [Document], _ keyPaths: [String]) -> Query {
        var sort: [Sort] = []
        for _ in 0..<random.pick([0, 0, 1, 1, 2, 3]) {
            let path = random.chance(15) ? random.pick(keyPaths) : random.pick(Self.paths)
            sort.append(Sort(field: path, direction: random.pick([.ascending, .descending])))
        }
        if sort.count > 1, random.chance(40) {
            for index in sort.indices { sort[index].direction = sort[0].direction }
        }
        var select: [String]?
        if random.chance(20) {
            select = (0..<random.below(4)).map { _ in random.pick(Self.paths) }
        }
        return Query(
            filters: Filter(filter(records, keyPaths)), sort: sort,
            limit: random.chance(50) ? random.below(12) : nil,
            offset: random.chance(40) ? random.below(random.pick([3, 8, 30])) : 0, select: select,
            collation: random.chance(25) ? .caseInsensitive : .binary)
    }
}
