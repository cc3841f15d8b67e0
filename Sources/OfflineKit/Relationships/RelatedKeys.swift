// Which way leads from a record to those that it is related to, by the kind of the relationship and the record itself.
//
// Many-to-one and many-to-many: by our foreign key. One-to-many: by theirs. One-to-one: by ours where our record has a value
// there, else by theirs.
import OfflineDocuments

/// For a number of our records, the keys by which their related records are found.
struct RelatedKeys {
    private let relationship: RelationshipSchema
    /// Keys of theirs that ours refer to, each with the numbers of those of ours.
    private(set) var referred: [[UInt8]: [Int]] = [:]
    /// Keys of ours that theirs refer to, likewise.
    private(set) var referring: [[UInt8]: [Int]] = [:]

    init(_ relationship: RelationshipSchema) { self.relationship = relationship }

    /// Takes one of our records: its number, its key, and the keys at its foreign key, if that may be ours.
    mutating func add(_ number: Int, key: [UInt8], foreignKeys: [[UInt8]]) {
        for foreignKey in foreignKeys { referred[foreignKey, default: []].append(number) }
        if relationship.type == .oneToMany || relationship.type == .oneToOne && foreignKeys.isEmpty
        {
            referring[key, default: []].append(number)
        }
    }
}

extension RelatedRecords {
    /// Visits the records that are related to those of ours, which are in `ours` and have these keys. Each pass is in key order.
    func forEach(
        _ keys: RelatedKeys, of ours: CollectionState, at path: FieldPath, _ body: Body
    ) throws {
        try unsafe forEachReferred(keys.referred, body)
        try unsafe forEachReferring(to: keys.referring, of: ours, at: path, body)
    }
}
