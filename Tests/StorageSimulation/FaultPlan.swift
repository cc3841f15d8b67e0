// Which calls fail, and how.
package import OfflineEngine

/// One planned failure: of the n-th call that matches, or of all from the n-th on.
package struct Fault: Sendable, CustomStringConvertible {
    package enum Effect: Equatable, Sendable {
        /// The call does nothing. A failed sync keeps its pending writes: a later one makes them durable.
        case nothing
        /// A write leaves its first bytes in the file.
        case prefix(Int)
        /// A sync gives up its pending writes: some reach the disk, the others never will, although reads still show them
        /// and the next sync succeeds ("fsyncgate": the system marked the pages clean).
        case dropsPending
        /// The call does all it should, and reports failure all the same.
        case takesEffect
    }

    /// Nil: any.
    package var operations: Set<FileSystemError.Operation>?
    /// Only paths that end so. Empty: any.
    package var pathSuffix: String
    /// Which matching call is the first to fail, from 1, counted since the fault was injected.
    package var first: Int
    /// Whether all later ones fail too.
    package var isSticky: Bool
    package var number: Int32
    package var effect: Effect

    package init(
        _ operations: Set<FileSystemError.Operation>? = nil, path pathSuffix: String = "",
        first: Int = 1, isSticky: Bool = false, error number: Int32,
        effect: Effect = .nothing
    ) {
        self.operations = operations
        self.pathSuffix = pathSuffix
        self.first = first
        self.isSticky = isSticky
        self.number = number
        self.effect = effect
    }

    package var description: String {
        let kinds = operations.map { $0.map(\.rawValue).sorted().joined(separator: ", ") }
        return "\(SystemErrorNumber.text(number)) at call \(first)\(isSticky ? " and later" : "")"
            + " of \(kinds ?? "any kind") \(pathSuffix) (\(effect))"
    }

    func matches(_ call: FileCall) -> Bool {
        if let operations, !operations.contains(call.operation) { return false }
        return call.path.hasSuffix(pathSuffix)
    }
}

extension Set<FileSystemError.Operation> {
    /// All that change what is stored or durable.
    package static var mutating: Self {
        [
            .create, .write, .sync, .truncate, .remove, .rename, .createDirectory, .syncDirectory,
            .lock,
        ]
    }
}

/// The planned faults and how many matching calls each has seen.
struct FaultPlan {
    private var faults: [(fault: Fault, seen: Int)] = []
    /// How many calls were made to fail so far.
    private(set) var firedCount = 0

    mutating func add(_ fault: Fault) { faults.append((fault, 0)) }

    mutating func removeAll() { faults = [] }

    /// Counts the call, and says whether and how it fails. Of several faults the one injected first wins.
    mutating func next(for call: FileCall) -> Fault? {
        var found: Fault?
        for index in faults.indices where faults[index].fault.matches(call) {
            faults[index].seen += 1
            let (fault, seen) = faults[index]
            if found == nil, fault.isSticky ? seen >= fault.first : seen == fault.first {
                found = fault
            }
        }
        if found != nil { firedCount += 1 }
        return found
    }
}
