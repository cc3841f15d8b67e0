// Sets of Unicode scalars, as classes like `[^a-z\d]` and `\p{Lu}` name them: ranges and general categories, or all but these.
//
// Invariant: the ranges ascend, and neither overlap nor touch. `\d`, `\w` and `\s` are ASCII, as in PCRE and JavaScript. Which
// scalars are of a general category is the Swift version's Unicode.

/// A set of Unicode scalars.
struct ScalarSet: Sendable, Hashable {
    static let scalarMax: UInt32 = 0x10FFFF

    static let categoryCount = 30
    /// A bit for each general category.
    typealias Categories = UInt32
    private static let allCategories: Categories = 1 << Categories(categoryCount) - 1

    private(set) var ranges: [ClosedRange<UInt32>]
    private var categories: Categories = 0
    private var isInverted = false
    /// Which of the first 128 scalars are in it, 64 a word.
    private var lowASCII: UInt64 = 0
    private var highASCII: UInt64 = 0

    init(_ ranges: [ClosedRange<UInt32>] = []) {
        self.ranges = ScalarSet.joined(ranges)
        noteASCII()
    }

    private init(categories: Categories) {
        ranges = []
        self.categories = categories
        noteASCII()
    }

    static let all = ScalarSet([0...scalarMax])
    static let allButNewline = ScalarSet([0...9, 11...scalarMax])
    static let digits = ScalarSet([48...57])
    static let wordScalars = ScalarSet([48...57, 65...90, 95...95, 97...122])
    static let space = ScalarSet([9...13, 32...32])
    /// JavaScript's `.` and `\s`.
    static let allButLineEnds = ScalarSet([0...9, 11...12, 14...0x2027, 0x202A...scalarMax])
    static let unicodeSpace = ScalarSet([
        9...13, 32...32, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029,
        0x202F...0x202F, 0x205F...0x205F, 0x3000...0x3000, 0xFEFF...0xFEFF,
    ])

    /// Whether the scalar is in it.
    @inline(__always)
    func contains(_ scalar: UInt32) -> Bool {
        if scalar < 128 {
            return (scalar < 64 ? lowASCII : highASCII) >> UInt64(scalar & 63) & 1 != 0
        }
        return isMember(scalar) != isInverted
    }

    private func isMember(_ scalar: UInt32) -> Bool {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            let range = ranges[middle]
            if range.contains(scalar) { return true }
            if scalar < range.lowerBound { high = middle } else { low = middle + 1 }
        }
        guard categories != 0, let scalar = Unicode.Scalar(scalar) else { return false }
        return categories & ScalarSet.bit(scalar.properties.generalCategory) != 0
    }

    private mutating func noteASCII() {
        (lowASCII, highASCII) = (0, 0)
        for scalar in UInt32(0)..<128 where isMember(scalar) != isInverted {
            if scalar < 64 {
                lowASCII |= 1 << UInt64(scalar)
            } else {
                highASCII |= 1 << UInt64(scalar & 63)
            }
        }
    }

    // MARK: Making sets

    /// Whether it has scalars by their category.
    var hasCategories: Bool { categories != 0 }

    /// All scalars that aren't in it.
    var inverted: ScalarSet {
        var result = self
        if categories == 0 {
            result.ranges = ScalarSet.gaps(ranges)
        } else if ranges.isEmpty {
            // Each scalar is of one category.
            result.categories = ScalarSet.allCategories & ~categories
        } else {
            result.isInverted.toggle()
        }
        result.noteASCII()
        return result
    }

    /// Adds all of another set, which is no mixture of ranges and categories that was inverted.
    mutating func formUnion(_ other: ScalarSet) {
        ranges = ScalarSet.joined(ranges + other.ranges)
        categories |= other.categories
        noteASCII()
    }

    /// With all that differs from one of its scalars in case only.
    var ignoringCase: ScalarSet {
        var result = self
        result.ranges = ScalarSet.joined(ranges + CaseVariants.variants(of: ranges))
        result.noteASCII()
        return result
    }

    /// With the letters of each case, if it has those of one by their category.
    var ignoringCaseOfCategories: ScalarSet {
        let letters = [Unicode.GeneralCategory.uppercaseLetter, .lowercaseLetter, .titlecaseLetter]
            .reduce(Categories(0)) { $0 | ScalarSet.bit($1) }
        var result = self
        if categories & letters != 0 { result.categories |= letters }
        result.noteASCII()
        return result
    }

    private static func joined(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        var result: [ClosedRange<UInt32>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = result.last, range.lowerBound <= last.upperBound + 1 {
                let upper = max(last.upperBound, range.upperBound)
                result[result.count - 1] = last.lowerBound...upper
            } else {
                result.append(range)
            }
        }
        return result
    }

    private static func gaps(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        var result: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges {
            if range.lowerBound > next { result.append(next...(range.lowerBound - 1)) }
            next = range.upperBound + 1
        }
        if next <= scalarMax { result.append(next...scalarMax) }
        return result
    }
}

/// A class of a pattern: what is listed in it, and what is named (`\w`, `\p{L}`); or all but that.
struct ScalarClass: Sendable, Hashable {
    var listed = ScalarSet()
    var named: ScalarSet
    var isInverted = false
    var ignoresCase = false

    /// The scalars of the class. What is named says itself what of it there is in which case.
    func set(ignoringCase: Bool) -> ScalarSet {
        var set = ignoringCase ? listed.ignoringCase : listed
        set.formUnion(ignoringCase ? named.ignoringCaseOfCategories : named)
        return isInverted ? set.inverted : set
    }
}

// MARK: - General categories

extension ScalarSet {
    /// The scalars of a general category or a group of these, such as `L`, `Lu` or `Uppercase_Letter`; nil for another name.
    init?(category name: String) {
        let name = ScalarSet.longNames[name] ?? name
        let categories = ScalarSet.names.reduce(Categories(0)) { mask, entry in
            let isNamed = entry.name == name || String(entry.name.prefix(1)) == name
            return isNamed ? mask | ScalarSet.bit(entry.category) : mask
        }
        guard categories != 0 else { return nil }
        self.init(categories: categories)
    }

    private static let names: [(name: String, category: Unicode.GeneralCategory)] = [
        ("Lu", .uppercaseLetter), ("Ll", .lowercaseLetter), ("Lt", .titlecaseLetter),
        ("Lm", .modifierLetter), ("Lo", .otherLetter), ("Mn", .nonspacingMark),
        ("Mc", .spacingMark), ("Me", .enclosingMark), ("Nd", .decimalNumber),
        ("Nl", .letterNumber), ("No", .otherNumber), ("Pc", .connectorPunctuation),
        ("Pd", .dashPunctuation), ("Ps", .openPunctuation), ("Pe", .closePunctuation),
        ("Pi", .initialPunctuation), ("Pf", .finalPunctuation), ("Po", .otherPunctuation),
        ("Sm", .mathSymbol), ("Sc", .currencySymbol), ("Sk", .modifierSymbol),
        ("So", .otherSymbol), ("Zs", .spaceSeparator), ("Zl", .lineSeparator),
        ("Zp", .paragraphSeparator), ("Cc", .control), ("Cf", .format), ("Cs", .surrogate),
        ("Co", .privateUse), ("Cn", .unassigned),
    ]

    /// Unicode's long names of general categories.
    private static let longNames: [String: String] = [
        "Letter": "L", "Uppercase_Letter": "Lu", "Lowercase_Letter": "Ll",
        "Titlecase_Letter": "Lt", "Modifier_Letter": "Lm", "Other_Letter": "Lo",
        "Mark": "M", "Nonspacing_Mark": "Mn", "Spacing_Mark": "Mc", "Enclosing_Mark": "Me",
        "Number": "N", "Decimal_Number": "Nd", "digit": "Nd", "Letter_Number": "Nl",
        "Other_Number": "No", "Punctuation": "P", "punct": "P", "Connector_Punctuation": "Pc",
        "Dash_Punctuation": "Pd", "Open_Punctuation": "Ps", "Close_Punctuation": "Pe",
        "Initial_Punctuation": "Pi", "Final_Punctuation": "Pf", "Other_Punctuation": "Po",
        "Symbol": "S", "Math_Symbol": "Sm", "Currency_Symbol": "Sc", "Modifier_Symbol": "Sk",
        "Other_Symbol": "So", "Separator": "Z", "Space_Separator": "Zs",
        "Line_Separator": "Zl", "Paragraph_Separator": "Zp", "Other": "C", "Control": "Cc",
        "cntrl": "Cc", "Format": "Cf", "Surrogate": "Cs", "Private_Use": "Co",
        "Unassigned": "Cn",
    ]

    private static func bit(_ category: Unicode.GeneralCategory) -> Categories {
        1 << Categories(number(of: category))
    }

    /// A number below `categoryCount` for each category.
    static func number(of category: Unicode.GeneralCategory) -> Int {
        switch category {
        case .uppercaseLetter: 0
        case .lowercaseLetter: 1
        case .titlecaseLetter: 2
        case .modifierLetter: 3
        case .otherLetter: 4
        case .nonspacingMark: 5
        case .spacingMark: 6
        case .enclosingMark: 7
        case .decimalNumber: 8
        case .letterNumber: 9
        case .otherNumber: 10
        case .connectorPunctuation: 11
        case .dashPunctuation: 12
        case .openPunctuation: 13
        case .closePunctuation: 14
        case .initialPunctuation: 15
        case .finalPunctuation: 16
        case .otherPunctuation: 17
        case .mathSymbol: 18
        case .currencySymbol: 19
        case .modifierSymbol: 20
        case .otherSymbol: 21
        case .spaceSeparator: 22
        case .lineSeparator: 23
        case .paragraphSeparator: 24
        case .control: 25
        case .format: 26
        case .surrogate: 27
        case .privateUse: 28
        default: categoryCount - 1
        }
    }
}
