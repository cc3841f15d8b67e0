// What an application says about how two collections refer to each other.

/// A relationship that `include` can resolve into a result under its name, and that may say what becomes of the records on
/// its other side when one of ours is deleted.
public struct RelationshipSchema: Sendable, Hashable {
    /// How many records stand on either side.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// One and one; whichever side has the foreign key.
        case oneToOne = "one-to-one"
        /// One of ours, many of theirs, which hold our key.
        case oneToMany = "one-to-many"
        /// Many of ours, which hold the key of one of theirs.
        case manyToOne = "many-to-one"
        /// Ours hold an array of their keys.
        case manyToMany = "many-to-many"
    }

    /// What deleting one of our records does to the records that it is related to.
    ///
    /// A rule stands at the relationship's own side: `users.orders` says what deleting a user does to orders; deleting an order asks
    /// the relationships of `orders`. All that a delete does by its rules happens in its transaction, or, where a rule
    /// forbids it, nothing does. A transaction has locks on the collections that its rules reach, named or not; it may read
    /// them all.
    ///
    /// Where the foreign key is ours (many-to-one, many-to-many, and one-to-one of a record that has a value there), the reference
    /// goes with the deleted record: `.nullify` has nothing to do, `.cascade` deletes the records that it refers to, and
    /// `.restrict` forbids the delete while one of them is there. So to take a deleted tag out of the arrays that name it,
    /// give `tags` a one-to-many relationship on these arrays, with `.nullify`.
    public enum DeleteRule: String, Sendable, Hashable, CaseIterable {
        /// Nothing: theirs may go on referring to a record that isn't there.
        case none
        /// Deletes them too, and does what the rules of their own collection say. Circles end.
        case cascade
        /// Sets their foreign key to null; from an array of keys, takes ours out.
        case nullify
        /// Forbids the delete while there are any, with `.relationshipViolation`. Those that the same delete removes don't
        /// count.
        case restrict
    }

    /// The name under which results show it.
    public var name: String
    /// The other collection.
    public var collection: String
    /// How many records stand on either side.
    public var type: Kind
    /// The path that refers to the other side's key; which side has it depends on `type`.
    public var foreignKey: String
    /// What a delete does to the other side.
    public var onDelete: DeleteRule

    /// A relationship to another collection.
    ///
    /// One-to-many: `foreignKey` is the other collection's field that refers to our key.
    /// Many-to-one: our field that refers to the other's key. One-to-one: whichever side has the
    /// field. Many-to-many: our field, an array of the others' keys. An index on the other collection's field spares a scan
    /// of it.
    public init(
        name: String, collection: String, type: Kind, foreignKey: String,
        onDelete: DeleteRule = .none
    ) {
        self.name = name
        self.collection = collection
        self.type = type
        self.foreignKey = foreignKey
        self.onDelete = onDelete
    }

    /// Whether the foreign key is always ours.
    var isOwnKey: Bool { type == .manyToOne || type == .manyToMany }
    /// Whether the foreign key may be ours.
    var hasOwnKey: Bool { type != .oneToMany }
    /// Whether it may be theirs.
    var hasTheirKey: Bool { !isOwnKey }
}
