// What a power cut keeps, drawn from a seed.
//
// A draw first decides in the large (all names? all data? each file for itself?), then in the small, so that extreme
// images (all data but no names, one file behind all others) come up often and not once in 2^n.

/// How names survive that no `syncDirectory` made durable.
package enum CrashModel: Sendable {
    /// Each of them or not, in any combination: all that POSIX promises.
    case posix
    /// A prefix of the changes of names, in the order they were made, as journaling file systems keep them.
    case ordered
}

/// Draws what is kept.
struct CrashChoices {
    enum Policy: Equatable {
        case everything
        case nothing
        case random(UInt64)
    }

    /// What becomes of a pending change of a file's bytes or size.
    enum Fate: Equatable {
        case kept
        /// Some sectors of a write are kept; a change of size is lost.
        case torn
        /// The size grew for the write, its data was lost; a change of size is kept.
        case sizeOnly
        case lost
    }

    /// What the lost sectors of a file hold whose size was kept.
    enum Filler: Equatable {
        case zeros
        case garbage
        /// Bytes of another file at the same offset: what was in the block before.
        case stale
    }

    private enum Amount {
        case all
        case none
        /// Each of them or not.
        case some
        /// All up to one of them, and none after.
        case first
    }

    private let policy: Policy
    private let model: CrashModel
    private var random: SeededRandom
    /// For all files alike; nil: each file draws its own.
    private var dataAmount: Amount?

    init(_ policy: Policy, _ model: CrashModel) {
        self.policy = policy
        self.model = model
        switch policy {
        case .everything:
            random = SeededRandom(seed: 0)
            dataAmount = .all
        case .nothing:
            random = SeededRandom(seed: 0)
            dataAmount = Amount.none
        case .random(let seed):
            random = SeededRandom(seed: seed)
            dataAmount = [Amount.all, Amount.none, nil, nil, nil][random.below(5)]
        }
    }

    /// Which of `count` pending changes of names are kept.
    mutating func names(_ count: Int) -> [Bool] {
        switch policy {
        case .everything: return draw(.all, count)
        case .nothing: return draw(.none, count)
        case .random:
            if model == .ordered { return draw(.first, count) }
            return draw([Amount.all, .none, .first, .some, .some, .some][random.below(6)], count)
        }
    }

    /// What becomes of each of a file's `count` pending changes.
    mutating func fates(_ count: Int) -> [Fate] {
        let amount = dataAmount ?? [Amount.all, .none, .first, .some, .some][random.below(5)]
        switch amount {
        case .all: return Array(repeating: .kept, count: count)
        case .none:
            let keepsSizes = policy != .nothing && random.chance(1, in: 3)
            return Array(repeating: keepsSizes ? .sizeOnly : .lost, count: count)
        case .some:
            return (0..<count).map { _ in [.kept, .lost, .sizeOnly, .torn, .torn][random.below(5)] }
        case .first:
            // The one in the middle of which the power went is torn.
            let cut = random.below(count + 1)
            return (0..<count).map { $0 < cut ? .kept : $0 == cut ? .torn : .lost }
        }
    }

    /// Which of the `count` sectors of a torn write are kept.
    mutating func sectors(_ count: Int) -> [Bool] {
        switch random.below(4) {
        case 0: return draw(.first, count)
        case 1: return draw(.first, count).map { !$0 }
        default: return draw(.some, count)
        }
    }

    /// Whether a torn write's whole length counts for the size, or only its kept sectors.
    mutating func keepsSizeOfTorn() -> Bool { random.chance(1, in: 2) }

    mutating func index(below count: Int) -> Int { random.below(count) }

    mutating func filler() -> Filler {
        [.zeros, .zeros, .garbage, .stale][random.below(4)]
    }

    mutating func garbage(_ count: Int) -> [UInt8] { random.bytes(count) }

    private mutating func draw(_ amount: Amount, _ count: Int) -> [Bool] {
        switch amount {
        case .all: return Array(repeating: true, count: count)
        case .none: return Array(repeating: false, count: count)
        case .some:
            var bits: UInt64 = 0
            return (0..<count).map { index in
                bits = index % 64 == 0 ? random.next() : bits >> 1
                return bits & 1 == 1
            }
        case .first:
            let cut = random.below(count + 1)
            return (0..<count).map { $0 < cut }
        }
    }
}
