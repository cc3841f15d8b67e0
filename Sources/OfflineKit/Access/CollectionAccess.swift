// What one principal may do with one collection: the rules of its policy that are for the principal, read once and for all.
//
// Rules add up. A record is in reach of an operation if the filter of some rule that grants it matches. A field is hidden
// in a record only if all rules that grant the record hide it. A query that names a field, to filter, sort, group or search by,
// is of those records only in which some rule shows the whole of it; if there can't be any, it is `.accessDenied`. So no
// query depends on what it doesn't show.
internal import OfflineBytes
internal import OfflineDocuments

/// One rule, for one principal.
struct AccessGrant: Sendable {
    /// The records that it is about.
    let condition: Condition
    let hidden: HiddenFields
}

/// What a principal may do with one collection.
struct CollectionAccess: Sendable {
    let collection: String
    private let byOperation: [AccessPolicy.Operation: OperationAccess]

    /// Throws what is wrong with the policy's filters and paths.
    init(_ policy: AccessPolicy, _ collection: String, for principal: Principal) throws {
        self.collection = collection
        var grants: [AccessPolicy.Operation: [AccessGrant]] = [:]
        for rule in policy.rules where principal.has(rule.role) {
            let grant = AccessGrant(
                condition: try FilterParser.parse(rule.filter.naming(principal)),
                hidden: HiddenFields(
                    try rule.hiddenFields.map { try FieldPath($0).components.map(\.name) }))
            for operation in rule.operations { grants[operation, default: []].append(grant) }
        }
        byOperation = grants.mapValues { OperationAccess(collection: collection, grants: $0) }
    }

    /// Nothing at all.
    init(nothingOf collection: String) {
        self.collection = collection
        byOperation = [:]
    }

    /// Nil: nothing is granted.
    subscript(operation: AccessPolicy.Operation) -> OperationAccess? { byOperation[operation] }

    /// The same, `.accessDenied` where nothing is granted.
    func granted(_ operation: AccessPolicy.Operation) throws(OfflineError) -> OperationAccess {
        if let access = byOperation[operation] { return access }
        throw OfflineError(
            .accessDenied, "the policy grants no \(operation.rawValue) to any role of the session",
            collection: collection)
    }
}

/// What a principal may do with one collection by one operation; there is at least one grant.
struct OperationAccess: Sendable {
    let collection: String
    let grants: [AccessGrant]

    /// Holds of the records in reach.
    var condition: Condition { Self.any(grants) }
    /// Every record is in reach.
    var reachesAll: Bool { condition == .always }
    /// Every record is in reach, and nothing of any is hidden.
    var isOpen: Bool { grants.contains { $0.condition == .always && $0.hidden.isEmpty } }

    private static func any(_ grants: [AccessGrant]) -> Condition {
        let conditions = grants.map(\.condition)
        if conditions.contains(.always) { return .always }
        return conditions.count == 1 ? conditions[0] : .any(conditions)
    }

    /// Holds of the records in reach of a query that names these paths.
    func condition(naming paths: [FieldPath]) throws(OfflineError) -> Condition {
        var conditions = condition.conjuncts
        for path in paths {
            let showing = grants.filter { !$0.hidden.touches(path) }
            if showing.isEmpty { throw hidden(path) }
            for condition in Self.any(showing).conjuncts where !conditions.contains(condition) {
                conditions.append(condition)
            }
        }
        return conditions.count == 1 ? conditions[0] : .all(conditions)
    }

    /// Refuses a path at which there can't be anything to show.
    func checkShown(_ path: FieldPath) throws(OfflineError) {
        if grants.allSatisfy({ $0.hidden.covers(path) }) { throw hidden(path) }
    }

    /// Whether anything at the path is hidden in any record.
    func mayHide(_ path: FieldPath) -> Bool { grants.contains { $0.hidden.touches(path) } }

    /// What no grant ever shows.
    var neverShown: HiddenFields {
        grants.dropFirst().reduce(grants.first?.hidden ?? .none) { $0.common(with: $1.hidden) }
    }

    private func hidden(_ path: FieldPath) -> OfflineError {
        OfflineError(
            .accessDenied, "\"\(path.text)\" is hidden from the session, or something in it is",
            collection: collection)
    }
}

/// Asks records in place what an operation's grants say of them. For one thread at a time.
struct RecordReach {
    private let grants: [(predicate: Predicate, hidden: HiddenFields)]
    private var scratch = PredicateScratch()

    /// For records written with `names` or fewer.
    init(_ access: OperationAccess, in names: NameDictionary) {
        grants = access.grants.map { (Predicate($0.condition, in: names), $0.hidden) }
    }

    /// What is hidden of the record; nil where it is out of reach.
    @unsafe
    mutating func hidden(in record: RecordView) -> HiddenFields? {
        var hidden: HiddenFields?
        for grant in grants {
            guard unsafe grant.predicate.matches(record, &scratch) else { continue }
            let both = hidden?.common(with: grant.hidden) ?? grant.hidden
            if both.isEmpty { return both }
            hidden = both
        }
        return hidden
    }
}

extension Principal {
    fileprivate func has(_ role: String) -> Bool {
        role == AccessPolicy.everyone || roles.contains(role)
    }
}

extension AccessPolicy {
    /// The role of every principal.
    static let everyone = "*"
    /// What stands for the principal's id in filters.
    static let principalName = "$principal"
}

extension Filter {
    /// The filter with the principal's id in the place of what stands for it. It isn't looked for in patterns, so that no id is read as
    /// one.
    fileprivate func naming(_ principal: Principal) -> Filter {
        func resolved(_ value: Value) -> Value {
            switch value {
            case .string(AccessPolicy.principalName): .string(principal.id)
            case .array(let elements): .array(elements.map(resolved))
            case .object(let object): .object(resolved(object))
            default: value
            }
        }
        func resolved(_ document: Document) -> Document {
            Document(
                fields: document.map { name, value in
                    (name, name == "$regex" ? value : resolved(value))
                })
        }
        return Filter(resolved(document))
    }
}

extension Condition {
    /// This, and that the record is in reach, which is asked with strings compared by their bytes, however the query compares them.
    func restricted(to reach: Condition, _ collation: Collation) -> Condition {
        if reach == .always { return self }
        let reach = collation == .binary ? reach : .exact(reach)
        return self == .always ? reach : .all([self, reach])
    }

    /// The paths of all that is asked of a record. What is only asked of the elements of an array names their fields.
    var paths: [FieldPath] {
        switch self {
        case .all(let conditions), .any(let conditions): conditions.flatMap(\.paths)
        case .not(let condition), .exact(let condition): condition.paths
        case .test(let path, let test): test.paths(at: path)
        }
    }
}

extension FieldTest {
    fileprivate func paths(at path: FieldPath) -> [FieldPath] {
        switch self {
        case .elementMatches(let condition):
            // No record is deeper than a path may be; what is named then is the array.
            let paths = condition.paths.map { inner in
                (try? FieldPath("\(path.text).\(inner.text)")) ?? path
            }
            return paths.isEmpty ? [path] : paths
        case .elementSatisfies(let condition): return condition.paths(at: path)
        default: return [path]
        }
    }
}

extension ValueCondition {
    fileprivate func paths(at path: FieldPath) -> [FieldPath] {
        switch self {
        case .all(let conditions), .any(let conditions): conditions.flatMap { $0.paths(at: path) }
        case .not(let condition): condition.paths(at: path)
        case .test(let test): test.paths(at: path)
        }
    }
}
