// What a delete does by the rules of relationships (RelationshipSchema.DeleteRule), found out before anything is changed:
//
// 1. `.cascade`: whatever is related to what is deleted is deleted too, wave by wave, until nothing is added.
// 2. `.restrict`: nothing that is related to what is deleted may be left, by the state before the delete.
// 3. `.nullify`: what is left of the related records loses its references.
//
// What forbids a delete and can't be seen by the session is only told, as a refusal, if nothing else forbids it.
//
// So the result depends neither on the order of relationships nor on that of records. A step asks for the records related to all of
// a wave at once (RelatedRecords).
internal import OfflineBytes
import OfflineDocuments

/// Finds out what a delete does.
struct DeleteRules {
    /// What it does in one collection.
    struct Effect {
        let collection: CollectionState
        /// The keys of the records that go.
        fileprivate(set) var removed: Set<[UInt8]> = []
        /// The records that are changed, by their keys.
        fileprivate(set) var changed: [[UInt8]: Document] = [:]
    }
    private let view: ReadView
    /// Of the records that are to be deleted.
    private let collection: CollectionState
    /// Waves may ask for the same references.
    private let maps = ReferenceMaps()
    /// Something that the session can't see forbids the delete.
    private var isRefused = false
    private var byCollection: [CollectionID: Effect] = [:]

    /// All that deleting the records with these keys, which are there, does; in the order of the collections' numbers.
    static func effects(
        ofDeleting keys: [[UInt8]], in collection: CollectionState, _ view: ReadView
    ) throws -> [Effect] {
        var rules = DeleteRules(view: view, collection)
        try rules.cascade(keys, collection)
        let deleted = rules.effects
        for effect in deleted { try rules.checkRestrictions(effect) }
        for effect in deleted { try rules.nullify(effect) }
        if rules.isRefused { throw WriteGuard.refused(collection.name) }
        return rules.effects
    }

    private init(view: ReadView, _ collection: CollectionState) {
        self.view = view
        self.collection = collection
    }

    private var effects: [Effect] {
        byCollection.values.sorted { $0.collection.id < $1.collection.id }
    }

    private func isRemoved(_ key: [UInt8], _ collection: CollectionState) -> Bool {
        byCollection[collection.id]?.removed.contains(key) ?? false
    }

    /// The record as it is changed so far; nil where it isn't.
    private func noted(_ key: [UInt8], _ collection: CollectionState) -> Document? {
        byCollection[collection.id]?.changed[key]
    }

    /// Changes what is done in a collection.
    private mutating func note<Result>(
        _ collection: CollectionState, _ change: (inout Effect) -> Result
    ) -> Result {
        change(&byCollection[collection.id, default: Effect(collection: collection)])
    }

    // MARK: Steps

    private mutating func cascade(_ keys: [[UInt8]], _ collection: CollectionState) throws {
        note(collection) { $0.removed.formUnion(keys) }
        var waves = [(collection: collection, keys: keys)]
        while let wave = waves.popLast() {
            for relationship in wave.collection.schema.relationships
            where relationship.onDelete == .cascade {
                let targets = try RuleTargets(view, wave.collection, relationship)
                var found: [[UInt8]] = []
                try unsafe targets.forEach(wave.keys, maps: maps) { key, _, _ in
                    let isNew = note(targets.other) { $0.removed.insert(key).inserted }
                    if isNew { found.append(key) }
                }
                if !found.isEmpty { waves.append((targets.other, found)) }
            }
        }
    }

    private mutating func checkRestrictions(_ effect: Effect) throws {
        for relationship in effect.collection.schema.relationships
        where relationship.onDelete == .restrict {
            let targets = try RuleTargets(view, effect.collection, relationship)
            let keys = KeyBounds.distinct(Array(effect.removed))
            try unsafe targets.forEach(keys) { key, _, owners in
                if isRemoved(key, targets.other) { return }
                try forbid(targets, owners: owners.map { keys[$0] }, other: key)
            }
        }
    }

    private mutating func nullify(_ effect: Effect) throws {
        for relationship in effect.collection.schema.relationships
        where relationship.onDelete == .nullify && !relationship.isOwnKey {
            let targets = try RuleTargets(view, effect.collection, relationship)
            let keys = KeyBounds.distinct(Array(effect.removed))
            try unsafe targets.forEach(keys, isTheirsOnly: true) { key, record, owners in
                if isRemoved(key, targets.other) { return }
                let old = unsafe noted(key, targets.other) ?? Document(copying: record)
                let new = ForeignKey.removing(
                    Set(owners.map { keys[$0] }), at: targets.path, of: effect.collection, from: old
                )
                if Self.key(of: new, targets.other) == key {
                    note(targets.other) { $0.changed[key] = new }
                } else {
                    try forbid(
                        targets, owners: owners.map { keys[$0] }, other: key,
                        ", and its key would be set to null")
                }
            }
        }
    }

    private static func key(of document: Document, _ collection: CollectionState) -> [UInt8]? {
        guard let key = RecordKeys.value(in: document, of: collection) else { return nil }
        return try? RecordKeys.encoded(key, of: collection)
    }

    /// Throws the violation where the session may read itself what is related, else notes it.
    private mutating func forbid(
        _ targets: RuleTargets, owners: [[UInt8]], other: [UInt8], _ more: String = ""
    ) throws {
        let owner = try owners.first {
            try view.shows($0, of: targets.collection, at: targets.path)
        }
        guard let owner, try view.shows(other, of: targets.other, at: targets.path) else {
            isRefused = true
            return
        }
        let rule = targets.relationship.onDelete.rawValue
        let related = (try? KeyDecoder.value(other))?.json() ?? "?"
        throw OfflineError(
            .relationshipViolation,
            "the relationship \"\(targets.relationship.name)\" (\(rule)) forbids the delete: record "
                + "\(related) of \"\(targets.other.name)\" is related to it" + more,
            collection: targets.collection.name, key: try? KeyDecoder.value(owner))
    }
}

/// The records that one relationship leads to.
private struct RuleTargets {
    let view: ReadView
    let collection: CollectionState
    let relationship: RelationshipSchema
    let other: CollectionState
    let path: FieldPath

    init(
        _ view: ReadView, _ collection: CollectionState, _ relationship: RelationshipSchema
    ) throws {
        self.view = view
        self.collection = collection
        self.relationship = relationship
        other = try view.collection(relationship.collection)
        path = try FieldPath(relationship.foreignKey)
    }

    /// Visits what is related to our records with these keys; a record's owners are places in `keys`. With `isTheirsOnly`, only
    /// what refers to ours. `maps`: what other look-ups share with this one.
    func forEach(
        _ keys: [[UInt8]], isTheirsOnly: Bool = false, maps: ReferenceMaps? = nil,
        _ body: RelatedRecords.Body
    ) throws {
        var related = RelatedKeys(relationship)
        if relationship.type == .oneToMany {
            for (number, key) in keys.enumerated() {
                related.add(number, key: key, foreignKeys: [])
            }
        } else {
            let ours = RelatedRecords(view, collection)
            let foreignKey = ForeignKey(path, in: ours.names, to: other)
            let places = Dictionary(
                keys.enumerated().map { ($1, [$0]) }, uniquingKeysWith: { first, _ in first })
            try unsafe ours.forEachReferred(places) { key, record, numbers in
                for number in numbers {
                    unsafe related.add(number, key: key, foreignKeys: foreignKey.keys(in: record))
                }
            }
        }
        let records = RelatedRecords(view, other, maps: maps)
        if !isTheirsOnly { try unsafe records.forEachReferred(related.referred, body) }
        try unsafe records.forEachReferring(
            to: related.referring, of: collection, at: path, body)
    }
}
