// What an application says about a collection: its name, key, indexes and relationships. Only a
// description: the rules that it must keep are SchemaValidation's, the compiled form is
// CollectionState.

/// A collection: its name, what a record's key is, and its indexes and relationships.
///
/// ```swift
/// CollectionSchema(
///     name: "users", keyPath: "id",
///     indexes: [IndexSchema(name: "email", keyPath: "email", unique: true)])
/// ```
public struct CollectionSchema: Sendable, Hashable {
    /// The collection's name: 1 to 100 characters, not beginning with `_`.
    public var name: String
    /// The path of the record's key; of several, the key is the array of their values.
    public var keyPaths: [String]
    /// What fills a missing key on create.
    public var autoKey: AutoKey
    /// The secondary indexes.
    public var indexes: [IndexSchema]
    /// What `include` can resolve.
    public var relationships: [RelationshipSchema]
    /// Paths whose values are sealed.
    public var sensitiveFields: [String]
    /// The collection's own policy; nil: the store's. `.none` keeps the collection from the store's.
    ///
    /// A policy that was set by `setEvictionPolicy` counts instead, until this one is another than it was then.
    public var evictionPolicy: EvictionPolicy?
    /// Whether changes are kept for synchronization; nil: yes, unless the collection has its own
    /// eviction policy, other than `.none`.
    public var tracksChanges: Bool?
    /// A JSON Schema (2020-12) that every record must fulfil; nil: none.
    ///
    /// ```swift
    /// CollectionSchema(
    ///     name: "people",
    ///     validation: [
    ///         "required": ["name"],
    ///         "properties": ["name": ["type": "string"], "age": ["type": "integer", "minimum": 0]],
    ///     ])
    /// ```
    ///
    /// A write that breaks it is `.validationFailed` on every path, and changes nothing. It is stored with the collection, and counts
    /// until an opening says another or none for it; one that is new must hold of the records that are there, else the opening throws
    /// `.validationFailed`, naming them, in time linear in the collection. It is asked after the migrations; these write by a schema
    /// only where it is the same before and after.
    ///
    /// What is asked of the record is asked as JSON Schema says, with these particulars:
    /// - The keywords are `type`, `const`, `enum`, `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`, `multipleOf`,
    ///   `minLength`, `maxLength`, `pattern`, `items`, `prefixItems`, `minItems`, `maxItems`, `uniqueItems`, `properties`,
    ///   `additionalProperties`, `required`, `minProperties`, `maxProperties`, `allOf`, `anyOf`, `oneOf`, `not`, `if`, `then`, `else`,
    ///   `$ref`, `$defs`, `$anchor` and `$id`. Annotations are accepted: `$schema` (2020-12), `$comment`, `title`, `description`,
    ///   `default`, `examples`, `deprecated`, `readOnly`, `writeOnly`, `format`, `contentEncoding`, `contentMediaType`,
    ///   `contentSchema`. Anything else, and any value that a keyword doesn't take, is `.invalidOptions`, with its place.
    /// - `type` knows `date` and `data` too, for what JSON has no form for. A date is no `string`, and only `type`, `const` and `enum`
    ///   ask anything of it. NaN and infinities are each a `number`; NaN breaks every bound.
    /// - Values are equal as everywhere in the store: 1 and 1.0, but never 1 and true.
    /// - `$ref` leads to a schema within this one: by a JSON pointer, an `$anchor` or an `$id`. Nothing is fetched. Recursion is fine as
    ///   long as there is a step into the value on its way; 32 schemas in a row may ask about one value.
    /// - `pattern` is JavaScript's with the flag u, matched in linear time: without lookaround and backreferences, and of `\p{…}` with the
    ///   general categories alone.
    /// - The record has its key, as it is stored.
    /// - It takes 256 KiB and 256 patterns at most. A record that takes over 67 million steps to check, or nests over 400 schemas deep,
    ///   is refused.
    public var validation: Document?
    /// Who may do what in sessions (`OfflineStore.session(as:)`); nil: open to all.
    ///
    /// It isn't stored: what opens the store says it, and a collection that the options don't have has none.
    public var accessPolicy: AccessPolicy?

    /// A collection whose records are identified by the value at one path.
    public init(
        name: String,
        keyPath: String = "id",
        autoKey: AutoKey = .uuidV7,
        indexes: [IndexSchema] = [],
        relationships: [RelationshipSchema] = [],
        sensitiveFields: [String] = [],
        evictionPolicy: EvictionPolicy? = nil,
        tracksChanges: Bool? = nil,
        validation: Document? = nil,
        accessPolicy: AccessPolicy? = nil
    ) {
        self.name = name
        self.keyPaths = [keyPath]
        self.autoKey = autoKey
        self.indexes = indexes
        self.relationships = relationships
        self.sensitiveFields = sensitiveFields
        self.evictionPolicy = evictionPolicy
        self.tracksChanges = tracksChanges
        self.validation = validation
        self.accessPolicy = accessPolicy
    }

    /// A collection with a compound key: ordered by the first path, then the next.
    ///
    /// The record's key is the array of the paths' values. (One path alone is no compound key: it
    /// is as `keyPath` would be.)
    public init(
        name: String,
        keyPaths: [String],
        indexes: [IndexSchema] = [],
        relationships: [RelationshipSchema] = [],
        sensitiveFields: [String] = [],
        evictionPolicy: EvictionPolicy? = nil,
        tracksChanges: Bool? = nil,
        validation: Document? = nil,
        accessPolicy: AccessPolicy? = nil
    ) {
        self.init(
            name: name, autoKey: .none, indexes: indexes, relationships: relationships,
            sensitiveFields: sensitiveFields, evictionPolicy: evictionPolicy,
            tracksChanges: tracksChanges, validation: validation, accessPolicy: accessPolicy)
        self.keyPaths = keyPaths
    }
}

extension CollectionSchema {
    /// Whether changes are kept for synchronization.
    var isTracking: Bool { isTracking(under: evictionPolicy) }

    /// The same, where this policy counts as the collection's own.
    func isTracking(under policy: EvictionPolicy?) -> Bool {
        tracksChanges ?? (policy == nil || policy == EvictionPolicy.none)
    }
}

/// What fills a missing key on create. A null key counts as missing.
public enum AutoKey: Sendable, Hashable {
    /// Nothing: a record without a key is refused.
    case none
    /// A version 7 UUID as a lower-case string: unique everywhere, ascending in time.
    case uuidV7
    /// The next integer: starts at 1 and goes on from the greatest integer key.
    case sequence
}
