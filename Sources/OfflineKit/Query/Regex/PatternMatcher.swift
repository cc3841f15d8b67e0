// Runs a pattern's program: all alive instructions at once, scalar by scalar. A step costs as many as are alive, each once; so a
// match takes time in proportion to text × program, and no pattern can take more.
internal import OfflineBytes
import OfflineDocuments

/// Memory that matching reuses from text to text.
struct PatternScratch {
    /// Instructions that take a scalar, alive at this place.
    fileprivate var alive: [PatternProgram.Target] = []
    /// Where those that took the last scalar lead to.
    fileprivate var reached: [PatternProgram.Target] = []
    fileprivate var stack: [PatternProgram.Target] = []
    /// For each instruction the last place at which it was seen.
    fileprivate var seen: [UInt32] = []
    fileprivate var place: UInt32 = 0
    /// How many instructions were run, over all matches.
    fileprivate(set) var steps = 0

    fileprivate mutating func begin(instructionCount: Int) {
        reached.removeAll(keepingCapacity: true)
        while seen.count < instructionCount { seen.append(0) }
    }

    fileprivate mutating func nextPlace() {
        alive.removeAll(keepingCapacity: true)
        place &+= 1
        if place == 0 {
            for index in seen.indices { seen[index] = 0 }
            place = 1
        }
    }
}

/// What is around a place in a text.
private struct PatternPlace {
    /// No scalar.
    static let none = UInt32.max
    var previous = none
    var next = none
    /// What follows is the last scalar.
    var isBeforeLast = false

    func fulfils(_ assertion: PatternAssertion) -> Bool {
        let newline: UInt32 = 0x0A
        return switch assertion {
        case .textStart: previous == PatternPlace.none
        case .textEnd: next == PatternPlace.none
        case .textEndOrFinalNewline:
            next == PatternPlace.none || (next == newline && isBeforeLast)
        case .lineStart: previous == PatternPlace.none || previous == newline
        case .lineEnd: next == PatternPlace.none || next == newline
        case .wordBoundary: isWord(previous) != isWord(next)
        case .noWordBoundary: isWord(previous) == isWord(next)
        }
    }

    private func isWord(_ scalar: UInt32) -> Bool {
        scalar < 128 && ScalarSet.wordScalars.contains(scalar)
    }
}

extension PatternProgram {
    /// Whether the pattern matches somewhere in the text, which is valid UTF-8.
    @unsafe
    func matches(_ text: UnsafeRawBufferPointer, _ scratch: inout PatternScratch) -> Bool {
        guard unsafe required.withBytes({ unsafe ByteSearch.contains(text, $0) }) else {
            return false
        }
        scratch.begin(instructionCount: instructions.count)
        var place = PatternPlace()
        var offset = 0
        while true {
            let atStart = offset == 0
            place.next =
                unsafe offset < text.count
                ? UTF8Scalars.next(text, at: &offset) ?? 0xFFFD : PatternPlace.none
            place.isBeforeLast = offset == text.count
            scratch.nextPlace()
            for index in scratch.reached.indices {
                if follow(scratch.reached[index], place, &scratch) { return true }
            }
            if atStart || !isAnchored, follow(start, place, &scratch) { return true }
            if place.next == PatternPlace.none || (isAnchored && scratch.alive.isEmpty) {
                return false
            }
            take(place.next, &scratch)
            place.previous = place.next
        }
    }

    /// Follows what takes no scalar from `target` on, and notes what takes one. True where that leads to a match.
    private func follow(
        _ target: Target, _ place: PatternPlace, _ scratch: inout PatternScratch
    ) -> Bool {
        scratch.stack.append(target)
        while let target = scratch.stack.popLast() {
            let index = Int(target)
            if scratch.seen[index] == scratch.place { continue }
            scratch.seen[index] = scratch.place
            scratch.steps += 1
            switch instructions[index] {
            case .accept:
                scratch.stack.removeAll(keepingCapacity: true)
                return true
            case .scalar, .set: scratch.alive.append(target)
            case .assertion(let assertion, let next):
                if place.fulfils(assertion) { scratch.stack.append(next) }
            case .split(let first, let second):
                scratch.stack.append(second)
                scratch.stack.append(first)
            }
        }
        return false
    }

    /// Lets all alive instructions take the scalar.
    private func take(_ scalar: UInt32, _ scratch: inout PatternScratch) {
        scratch.reached.removeAll(keepingCapacity: true)
        for index in scratch.alive.indices {
            switch instructions[Int(scratch.alive[index])] {
            case .scalar(let wanted, let next):
                if scalar == wanted { scratch.reached.append(next) }
            case .set(let set, let next):
                if sets[set].contains(scalar) { scratch.reached.append(next) }
            case .accept, .assertion, .split: break
            }
        }
    }
}
