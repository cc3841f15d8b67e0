// Matches texts with a program, fast for many: what a step from one set of alive instructions leads to is found out once
// (PatternThreads) and looked up from then on, so a scalar costs one look-up (the lazily built deterministic automaton of
// Thompson, Aho and others).
//
// The automaton's states are the sets of reached instructions, and what the place before them was like. There may be more
// of them than memory should hold, and each may have most of the program in it: when the table is full it is emptied, and
// filled again from there. So memory is bounded, and time stays within text × program. A long text may take that long:
// a matcher that is asked to gives up when its task is cancelled.
internal import OfflineBytes
import OfflineDocuments

/// A program and all that is known about it so far.
struct PatternMatcher {
    let program: PatternProgram
    private let entriesMax: Int
    /// Whether to give up when the task is cancelled.
    private let isCancellable: Bool
    /// It has given up, so what it said of its last text means nothing.
    private(set) var isStopped = false
    private var threads: PatternThreads
    /// For each state, and in it for each symbol, the state that follows; `unknown` where that wasn't needed yet.
    private var transitions: [Int32] = []
    /// For each state the scalar before it, or one like it, and the reached instructions.
    private var states: [[Int32]] = []
    private var numbers: [[Int32]: Int32] = [:]
    /// How many numbers the table has in it, those of the states' instructions too.
    private(set) var entries = 0
    /// How many instructions were put into order, to know states again.
    private var sorted = 0
    private var workAtLastLook = 0

    private static let unknown: Int32 = -1
    /// No match, whatever follows.
    private static let dead: Int32 = 0
    /// A match, whatever follows.
    private static let matched: Int32 = 1
    /// Where every text begins.
    private static let initial: Int32 = 2

    /// A table has no more entries, of four bytes each.
    static let entriesMax = 1 << 18
    /// With room for fewer states the program runs without a table.
    static let statesMin = 16
    /// After so much work it looks whether its task is cancelled.
    private static let workPerLook = 1 << 18

    /// `entriesMax` bounds the table.
    init(
        _ program: PatternProgram, entriesMax: Int = PatternMatcher.entriesMax,
        isCancellable: Bool = false
    ) {
        self.program = program
        self.entriesMax = entriesMax
        self.isCancellable = isCancellable
        threads = PatternThreads(program)
        if hasTable { empty() }
    }

    /// How many instructions were looked at, over all texts.
    var work: Int { threads.work + sorted }

    private var hasTable: Bool {
        entriesMax / program.symbols.count >= PatternMatcher.statesMin
    }

    /// Whether to give up. To be asked after each step that takes more than a look-up.
    private mutating func stops() -> Bool {
        guard isCancellable, work - workAtLastLook >= PatternMatcher.workPerLook else {
            return false
        }
        workAtLastLook = work
        isStopped = Task.isCancelled
        return isStopped
    }

    /// Whether the pattern matches somewhere in the text, which is valid UTF-8.
    @unsafe
    mutating func matches(_ text: UnsafeRawBufferPointer) -> Bool {
        guard unsafe required(text) else { return false }
        return hasTable ? unsafe lookUp(text) : unsafe simulate(text)
    }

    @unsafe
    private func required(_ text: UnsafeRawBufferPointer) -> Bool {
        unsafe program.required.withBytes { unsafe ByteSearch.contains(text, $0) }
    }

    @unsafe
    private mutating func simulate(_ text: UnsafeRawBufferPointer) -> Bool {
        threads.reached.removeAll(keepingCapacity: true)
        var place = PatternPlace()
        var offset = 0
        while true {
            place.next = unsafe PatternMatcher.next(text, &offset)
            place.isBeforeLast = offset == text.count
            if threads.take(place, program) { return true }
            if stops() { return false }
            if place.isTextEnd || (program.isAnchored && threads.reached.isEmpty) { return false }
            place.previous = place.next
        }
    }

    @inline(__always)
    @unsafe
    private static func next(_ text: UnsafeRawBufferPointer, _ offset: inout Int) -> UInt32 {
        guard offset < text.count else { return PatternPlace.none }
        return unsafe UTF8Scalars.next(text, at: &offset) ?? 0xFFFD
    }

    // MARK: Table

    @unsafe
    private mutating func lookUp(_ text: UnsafeRawBufferPointer) -> Bool {
        let symbols = program.symbols
        let width = symbols.count
        var state = PatternMatcher.initial
        var offset = 0
        while true {
            let scalar = unsafe PatternMatcher.next(text, &offset)
            let symbol: Int
            if scalar == PatternPlace.none {
                symbol = symbols.end
            } else if scalar == PatternPlace.newline, offset == text.count {
                symbol = symbols.finalNewline
            } else {
                symbol = symbols.symbol(scalar)
            }
            var following = transitions[Int(state) * width + symbol]
            if following == PatternMatcher.unknown {
                following = find(after: state, scalar, symbol)
                if stops() { return false }
            }
            if following <= PatternMatcher.matched { return following == PatternMatcher.matched }
            state = following
        }
    }

    /// Finds out what follows a state, and notes it.
    private mutating func find(after state: Int32, _ scalar: UInt32, _ symbol: Int) -> Int32 {
        let members = states[Int(state)]
        threads.reached.removeAll(keepingCapacity: true)
        threads.reached.append(contentsOf: members.dropFirst())
        let place = PatternPlace(
            previous: UInt32(bitPattern: members[0]), next: scalar,
            isBeforeLast: symbol == program.symbols.finalNewline)
        let following: Int32
        if threads.take(place, program) {
            following = PatternMatcher.matched
        } else if place.isTextEnd || (program.isAnchored && threads.reached.isEmpty) {
            following = PatternMatcher.dead
        } else {
            let previous = program.symbols.representative(ofPrevious: scalar)
            let key = [Int32(bitPattern: previous)] + distinctReached()
            if let known = numbers[key] {
                following = known
            } else if entries + program.symbols.count + key.count <= entriesMax {
                following = add(key)
            } else {
                empty()
                return add(key)
            }
        }
        transitions[Int(state) * program.symbols.count + symbol] = following
        return following
    }

    /// The reached instructions, ascending and each once.
    private mutating func distinctReached() -> [Int32] {
        sorted += threads.reached.count
        threads.reached.sort()
        var distinct: [Int32] = []
        for instruction in threads.reached where instruction != distinct.last {
            distinct.append(instruction)
        }
        return distinct
    }

    private mutating func add(_ state: [Int32]) -> Int32 {
        entries += program.symbols.count + state.count
        let number = Int32(truncatingIfNeeded: states.count)
        states.append(state)
        numbers[state] = number
        transitions.append(
            contentsOf: repeatElement(PatternMatcher.unknown, count: program.symbols.count))
        return number
    }

    /// Leaves the first states only: the two results, which nothing follows, and where texts begin.
    private mutating func empty() {
        transitions.removeAll(keepingCapacity: true)
        states.removeAll(keepingCapacity: true)
        numbers.removeAll(keepingCapacity: true)
        entries = 0
        let none = Int32(bitPattern: PatternPlace.none)
        // Never looked up, so it matters only that they are no state that is.
        for _ in 0..<PatternMatcher.initial { _ = add([]) }
        _ = add([none])
    }
}

/// The matchers of one run of a filter.
struct PatternScratch {
    private var matchers: [PatternMatcher] = []
    private let isCancellable: Bool
    /// A matcher gave up since the task was cancelled.
    private(set) var isStopped = false

    /// So many patterns of a filter have tables, which bounds what they take together.
    private static let tablesMax = 16

    init(isCancellable: Bool = false) { self.isCancellable = isCancellable }

    /// Whether the pattern of the program matches somewhere in the text, which is valid UTF-8.
    @unsafe
    mutating func matches(_ text: UnsafeRawBufferPointer, _ program: PatternProgram) -> Bool {
        let index = place(of: program)
        let matches = unsafe matchers[index].matches(text)
        if matchers[index].isStopped { isStopped = true }
        return matches
    }

    private mutating func place(of program: PatternProgram) -> Int {
        if let index = matchers.firstIndex(where: { $0.program === program }) { return index }
        let entriesMax = matchers.count < PatternScratch.tablesMax ? PatternMatcher.entriesMax : 0
        matchers.append(
            PatternMatcher(program, entriesMax: entriesMax, isCancellable: isCancellable))
        return matchers.count - 1
    }
}
