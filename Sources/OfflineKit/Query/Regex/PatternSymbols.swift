// The scalars as a program tells them apart: two of the same symbol are the same to every instruction and every assertion of it.
// So what is found out about one (PatternAutomaton) is known of all of them, and a dozen symbols stand for all of Unicode.

/// The alphabet of a program.
struct PatternSymbols: Sendable {
    /// Where the scalars of another symbol begin, ascending.
    private let boundaries: [UInt32]
    /// The program tells scalars apart by their categories too.
    private let hasCategories: Bool
    /// The symbols of the first 128 scalars.
    private var ascii: [Int32] = []
    /// The program asks what is before a place: a newline, a scalar of a word.
    private let asksForLines: Bool
    private let asksForWords: Bool

    /// A newline that ends the text.
    let finalNewline: Int
    /// The end of the text.
    let end: Int
    /// How many symbols there are, both of the above included.
    var count: Int { end + 1 }

    init(_ instructions: [PatternProgram.Instruction], _ sets: [ScalarSet]) {
        var starts: Set<UInt32> = []
        func note(_ ranges: [ClosedRange<UInt32>]) {
            for range in ranges {
                starts.insert(range.lowerBound)
                starts.insert(range.upperBound + 1)
            }
        }
        var (asksForLines, asksForWords) = (false, false)
        for instruction in instructions {
            switch instruction {
            case .scalar(let scalar, _): note([scalar...scalar])
            case .assertion(.wordBoundary, _), .assertion(.noWordBoundary, _): asksForWords = true
            case .assertion(.textStart, _), .assertion(.textEnd, _): break
            case .assertion: asksForLines = true
            case .accept, .set, .split: break
            }
        }
        for set in sets { note(set.ranges) }
        if asksForLines { note([PatternPlace.newline...PatternPlace.newline]) }
        if asksForWords { note(ScalarSet.wordScalars.ranges) }
        (self.asksForLines, self.asksForWords) = (asksForLines, asksForWords)
        boundaries = starts.sorted()
        hasCategories = sets.contains(where: \.hasCategories)
        finalNewline = (boundaries.count + 1) * (hasCategories ? ScalarSet.categoryCount : 1)
        end = finalNewline + 1
        ascii = (UInt32(0)..<128).map { Int32(search($0)) }
    }

    /// The symbol of a scalar.
    @inline(__always)
    func symbol(_ scalar: UInt32) -> Int {
        scalar < 128 ? Int(ascii[Int(scalar)]) : search(scalar)
    }

    private func search(_ scalar: UInt32) -> Int {
        var low = 0
        var high = boundaries.count
        while low < high {
            let middle = (low + high) / 2
            if boundaries[middle] <= scalar { low = middle + 1 } else { high = middle }
        }
        guard hasCategories, let scalar = Unicode.Scalar(scalar) else { return low }
        return low * ScalarSet.categoryCount
            + ScalarSet.number(of: scalar.properties.generalCategory)
    }

    /// A scalar that is the same to the program as the one before a place.
    func representative(ofPrevious scalar: UInt32) -> UInt32 {
        if asksForLines, scalar == PatternPlace.newline { return scalar }
        if asksForWords, PatternPlace.isWord(scalar) { return 0x61 }
        return 0x20
    }
}
