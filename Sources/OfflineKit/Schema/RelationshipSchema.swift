// What an application says about how two collections refer to each other.

/// A relationship that `include` can resolve into a result under its name.
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

    /// What a delete does to the records that refer to the deleted one.
    public enum DeleteRule: Sendable, Hashable {
        /// Nothing.
        case none
        /// Deletes them too.
        case cascade
        /// Sets the foreign key to null.
        case nullify
        /// Forbids the delete.
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
    /// field. Many-to-many: our field, an array of the others' keys.
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
}
