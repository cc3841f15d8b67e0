// What an application says about an index.

/// A secondary index on one or more paths.
///
/// ```swift
/// IndexSchema(name: "tags", keyPath: "tags", multiEntry: true)
/// IndexSchema(name: "email", keyPath: "email", unique: true, collation: .caseInsensitive)
/// IndexSchema(name: "open", keyPaths: ["priority", "due"], where: ["status": "open"])
/// IndexSchema.fullText(name: "words", keyPaths: ["title", "body"])
/// ```
public struct IndexSchema: Sendable, Hashable {
    /// What the entries are made of.
    public enum Kind: Sendable, Hashable {
        /// The values at the paths, one after another.
        case ordered
        /// The words at the paths, for `$text`.
        case fullText
    }
    /// The name: 1 to 100 characters, unique within the collection.
    public var name: String
    /// The paths, the most significant first.
    public var keyPaths: [String]
    /// What the entries are made of.
    public var kind: Kind
    /// No two records may have equal values where all paths are present and not null. Of a
    /// multi-entry index: no two may share an element. Of a partial one: no two of its records.
    public var isUnique: Bool
    /// An entry for each distinct element of an array. One path only.
    public var isMultiEntry: Bool
    /// How strings are compared: only queries of the same collation use the index. Other than
    /// `.binary`, one path only.
    public var collation: Collation
    /// Only records that match have an entry, and only queries whose filter implies this one use
    /// the index; nil: all. It may have no `$regex` and no `$text`.
    public var filter: Filter?

    /// An index on one path.
    public init(
        name: String, keyPath: String, unique: Bool = false, multiEntry: Bool = false,
        collation: Collation = .binary, where filter: Filter? = nil
    ) {
        self.name = name
        self.keyPaths = [keyPath]
        self.kind = .ordered
        self.isUnique = unique
        self.isMultiEntry = multiEntry
        self.collation = collation
        self.filter = filter
    }

    /// A compound index: ordered by the first path, then the next.
    public init(name: String, keyPaths: [String], unique: Bool = false, where filter: Filter? = nil)
    {
        self.init(name: name, keyPath: "", unique: unique, where: filter)
        self.keyPaths = keyPaths
    }

    /// An inverted index over the words of these fields, for `$text`. A collection has one at most.
    public static func fullText(name: String, keyPaths: [String]) -> IndexSchema {
        var index = IndexSchema(name: name, keyPaths: keyPaths)
        index.kind = .fullText
        return index
    }
}
