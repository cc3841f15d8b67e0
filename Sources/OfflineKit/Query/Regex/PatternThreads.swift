// A step of a program: all its alive instructions at once, each once. So a text costs at most text × program, whatever the
// pattern says.

/// The alive instructions of a program.
struct PatternThreads {
    typealias Target = PatternProgram.Target

    /// Where those that took the last scalar lead to, before what takes no scalar is followed.
    var reached: [Target] = []
    /// Those that take a scalar.
    private var alive: [Target] = []
    private var stack: [Target] = []
    /// For each instruction the last step in which it was seen.
    private var seen: [UInt32]
    private var step: UInt32 = 0
    /// How many instructions were looked at, over all steps.
    private(set) var work = 0

    init(_ program: PatternProgram) {
        seen = Array(repeating: 0, count: program.instructions.count)
    }

    /// Takes the scalar that follows the place, if one does. True where the pattern has matched.
    mutating func take(_ place: PatternPlace, _ program: PatternProgram) -> Bool {
        alive.removeAll(keepingCapacity: true)
        step &+= 1
        if step == 0 {
            for index in seen.indices { seen[index] = 0 }
            step = 1
        }
        for index in reached.indices where follow(reached[index], place, program) { return true }
        if place.isTextStart || !program.isAnchored, follow(program.start, place, program) {
            return true
        }
        reached.removeAll(keepingCapacity: true)
        if place.isTextEnd { return false }
        for index in alive.indices {
            switch program.instructions[Int(alive[index])] {
            case .scalar(let wanted, let next):
                if place.next == wanted { reached.append(next) }
            case .set(let set, let next):
                if program.sets[set].contains(place.next) { reached.append(next) }
            case .accept, .assertion, .split: break
            }
        }
        return false
    }

    /// Follows what takes no scalar from `target` on, and notes what takes one. True where that leads to a match.
    private mutating func follow(
        _ target: Target, _ place: PatternPlace, _ program: PatternProgram
    ) -> Bool {
        stack.append(target)
        while let target = stack.popLast() {
            let index = Int(target)
            if seen[index] == step { continue }
            seen[index] = step
            work += 1
            switch program.instructions[index] {
            case .accept:
                stack.removeAll(keepingCapacity: true)
                return true
            case .scalar, .set: alive.append(target)
            case .assertion(let assertion, let next):
                if place.fulfils(assertion) { stack.append(next) }
            case .split(let first, let second):
                stack.append(second)
                stack.append(first)
            }
        }
        return false
    }
}

/// What is around a place in a text.
struct PatternPlace {
    /// No scalar.
    static let none = UInt32.max
    static let newline: UInt32 = 0x0A

    var previous = none
    var next = none
    /// What follows is the last scalar.
    var isBeforeLast = false

    var isTextStart: Bool { previous == PatternPlace.none }
    var isTextEnd: Bool { next == PatternPlace.none }

    func fulfils(_ assertion: PatternAssertion) -> Bool {
        switch assertion {
        case .textStart: isTextStart
        case .textEnd: isTextEnd
        case .textEndOrFinalNewline: isTextEnd || (next == PatternPlace.newline && isBeforeLast)
        case .lineStart: isTextStart || previous == PatternPlace.newline
        case .lineEnd: isTextEnd || next == PatternPlace.newline
        case .wordBoundary: PatternPlace.isWord(previous) != PatternPlace.isWord(next)
        case .noWordBoundary: PatternPlace.isWord(previous) == PatternPlace.isWord(next)
        }
    }

    static func isWord(_ scalar: UInt32) -> Bool {
        scalar < 128 && ScalarSet.wordScalars.contains(scalar)
    }
}
