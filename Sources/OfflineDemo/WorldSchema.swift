// The demo's schema: what the data are, what is looked up, what belongs to what.
internal import Foundation
internal import OfflineKit

/// The store of the demo's data.
enum WorldSchema {
    static let databaseName = "world"

    static func options(in folder: URL) -> StorageOptions {
        StorageOptions(databaseName: databaseName, directory: folder, storageSchema: collections)
    }

    private static let collections = [
        CollectionSchema(
            name: "countries", keyPath: "alpha_2",
            indexes: [
                IndexSchema(name: "name", keyPath: "name"),
                IndexSchema(name: "alpha_3", keyPath: "alpha_3", unique: true),
            ],
            relationships: [
                RelationshipSchema(
                    name: "subdivisions", collection: "subdivisions", type: .oneToMany,
                    foreignKey: "country"),
                RelationshipSchema(
                    name: "timeZones", collection: "timeZones", type: .oneToMany,
                    foreignKey: "country"),
            ]),
        CollectionSchema(
            name: "subdivisions", keyPath: "code",
            indexes: [
                IndexSchema(name: "country", keyPath: "country"),
                IndexSchema(name: "type", keyPaths: ["type", "name"]),
            ],
            relationships: [
                RelationshipSchema(
                    name: "land", collection: "countries", type: .manyToOne, foreignKey: "country")
            ]),
        CollectionSchema(
            name: "languages", keyPath: "alpha_3",
            indexes: [
                IndexSchema(name: "name", keyPath: "name"),
                IndexSchema(name: "type", keyPath: "type"),
            ]),
        CollectionSchema(name: "currencies", keyPath: "alpha_3"),
        CollectionSchema(name: "scripts", keyPath: "alpha_4"),
        CollectionSchema(
            name: "timeZones", keyPath: "name",
            indexes: [
                IndexSchema(name: "country", keyPath: "country"),
                IndexSchema(name: "latitude", keyPath: "latitude"),
            ],
            relationships: [
                RelationshipSchema(
                    name: "land", collection: "countries", type: .manyToOne, foreignKey: "country")
            ]),
    ]
}
