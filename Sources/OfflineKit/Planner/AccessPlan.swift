// What the planner chooses between, and what an execution runs.
import OfflineDocuments

/// The candidates in one tree.
struct TreeAccess {
    let match: TreeMatch
    /// Lists of records with arrays, which are candidates too.
    let arrayLists: [KeyRange]
    /// How many candidates there are; those that are there more than once are counted so.
    let candidatesMax: Int

    var name: String? { match.tree.name }
    /// A record may be among the candidates more than once.
    var mayRepeat: Bool { !arrayLists.isEmpty || match.mayRepeat }

    /// Whether the filter's condition holds of all candidates.
    func decides(_ ordinal: Int) -> Bool { arrayLists.isEmpty && match.decided[ordinal] }
    /// Whether all candidates match.
    var decidesAll: Bool { match.decided.indices.allSatisfy(decides) }
}

/// One way to get at the records that a query may match.
struct AccessPlan {
    /// Where the candidates come from.
    enum Source {
        case tree(TreeAccess)
        /// The records that are in any of these.
        case union([TreeAccess])
        /// The records that are in all of these.
        case intersection([TreeAccess])
        /// The records that have any of the words.
        case words(WordAccess)
    }
    let source: Source
    /// How a tree is walked; nil: keys are gathered, and then put into key order where that is wanted.
    var order: TreeOrder?
    /// The filter must be asked for each record; false: all candidates match.
    let needsCheck: Bool
    /// The candidates come in the wanted order.
    let givesWantedOrder: Bool
    /// An upper bound of the number of candidates, and so of the records that match.
    let candidatesMax: Int
    /// What is read before the first record is known, where the tree gives the order.
    var lead = OrderLead()

    /// The tree accesses that it is made of.
    var trees: [TreeAccess] {
        switch source {
        case .tree(let access): [access]
        case .union(let accesses), .intersection(let accesses): accesses
        case .words: []
        }
    }

    /// `candidatesMax` is the number of records that match.
    var isExact: Bool {
        guard !needsCheck else { return false }
        return switch source {
        case .tree(let access): !access.mayRepeat
        case .union, .intersection: false
        case .words(let access): access.words.count < 2
        }
    }

    /// The tree that is walked in its order.
    var orderedTree: (access: TreeAccess, order: TreeOrder)? {
        guard case .tree(let access) = source, let order else { return nil }
        return (access, order)
    }
}

/// A search for words.
struct WordAccess {
    let index: IndexState
    /// Distinct.
    let words: [[UInt8]]
    /// The best match comes first; else the order doesn't matter.
    let isRanked: Bool
}

/// What the planner found: the access to run, and, for `explain`, all that lost against it.
struct PlannedQuery {
    /// An access, and what it costs.
    struct Candidate {
        let access: AccessPlan
        let cost: Double
    }
    /// Why an index can't serve the query at all.
    enum Refusal {
        /// Neither the filter nor the sort leads into it.
        case noPath
        /// It would only be of use for its order, which arrays take from it.
        case arrays(records: Int, path: String)
        /// It compares strings otherwise than the query.
        case collation
        /// The filter doesn't imply its condition.
        case partial
        /// It serves searches only.
        case fullText
        /// It has tokens of a sensitive field, which serve equality only.
        case sealed
        /// The query searches for words.
        case search
    }
    let best: Candidate
    let candidates: [Candidate]
    let refusals: [(index: String, reason: Refusal)]
    /// An upper bound of the records that match.
    let matchesMax: Int

    var access: AccessPlan { best.access }
}

/// An access that is not chosen by its cost.
enum ForcedAccess {
    /// No index.
    case collection
    /// An index alone.
    case index(String)
    /// Several indexes, of which a record is in any.
    case union
    /// Several indexes, of which a record is in all.
    case intersection
}
