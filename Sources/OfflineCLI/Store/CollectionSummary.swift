// What the tool needs of a collection: names for numbers. Read leniently, so that a definition that can't be read costs the
// names and nothing else.
internal import Foundation
internal import OfflineDocuments
internal import OfflineEngine
internal import OfflineKit

/// A collection as its stored definition describes it.
struct CollectionSummary {
    struct Index {
        let number: UInt32
        let name: String
        let keyPaths: [String]
        let isUnique: Bool
        let isMultiEntry: Bool
        let isCaseInsensitive: Bool
        let isPartial: Bool
        let isFullText: Bool

        /// What it is besides an index on its paths: `unique`, `partial`.
        var properties: [String] {
            [
                (isUnique, "unique"), (isMultiEntry, "multi-entry"),
                (isCaseInsensitive, "case-insensitive"), (isPartial, "partial"),
                (isFullText, "full-text"),
            ].filter(\.0).map(\.1)
        }

        /// How many values an entry has before the record's key: of a case-insensitive index the folded and the whole one.
        var valueCount: Int { isCaseInsensitive ? 2 : isFullText ? 1 : keyPaths.count }
    }

    /// What the collection is for.
    enum Kind: Equatable {
        /// An application's records.
        case records
        /// What is known of the changes of another collection's records.
        case changes(of: UInt32)
        /// When another collection's records were used, in the order of this name.
        case access(of: UInt32, order: String)
        /// The store's own records.
        case store
    }

    let id: UInt32
    let kind: Kind
    /// `collection 3` where the definition can't be read.
    let name: String
    let keyPaths: [String]
    let indexes: [Index]
    /// The numbers of its trees.
    private let trees: [UInt32]
    /// What is wrong with the definition.
    let problem: String?

    init(_ stored: Catalog.Collection) {
        id = stored.id
        trees = stored.trees.map(\.index)
        do {
            let definition = try Document(extendedJSON: Data(stored.definition))
            let kind = Self.kind(definition)
            if kind != .records {
                self.kind = kind
                name = Self.name(of: kind)
                keyPaths = []
                indexes = []
                problem = nil
                return
            }
            guard let name = definition["name"]?.stringValue else {
                throw OfflineError(.corrupted, "it has no name")
            }
            self.kind = .records
            self.name = name
            keyPaths = Self.strings(definition["keyPaths"])
            indexes = (definition["indexes"]?.arrayValue ?? []).compactMap(Self.index)
            problem = nil
        } catch {
            kind = .records
            name = "collection \(stored.id)"
            keyPaths = []
            indexes = []
            problem = "the definition of collection \(stored.id) can't be read: \(error)"
        }
    }

    private static func kind(_ definition: Document) -> Kind {
        switch definition["kind"]?.stringValue {
        case "changes": .changes(of: UInt32(clamping: definition["of"]?.intValue ?? 0))
        case "access":
            .access(
                of: UInt32(clamping: definition["of"]?.intValue ?? 0),
                order: definition["order"]?.stringValue ?? "")
        case "store": .store
        default: .records
        }
    }

    private static func changesTree(_ kind: Kind) -> UInt32? {
        switch kind {
        case .records: ChangeTrees.number
        case .changes: ChangeTrees.entryNumber
        case .access, .store: nil
        }
    }

    /// Its tree in the order of eviction, and that order.
    var evictionTree: (number: UInt32, order: AccessOrder)? {
        guard case .access(_, let name) = kind, let order = AccessOrder(rawValue: name),
            let number = order.tree, trees.contains(number)
        else { return nil }
        return (number, order)
    }

    private static func name(of kind: Kind) -> String {
        switch kind {
        case .records: ""
        case .changes(let owner): "changes of collection \(owner)"
        case .access(let owner, _): "access of collection \(owner)"
        case .store: "the store's own records"
        }
    }

    private static func index(_ value: Value) -> Index? {
        guard let number = value["number"]?.intValue.flatMap({ UInt32(exactly: $0) }),
            let name = value["name"]?.stringValue
        else { return nil }
        return Index(
            number: number, name: name, keyPaths: strings(value["keyPaths"]),
            isUnique: value["unique"]?.boolValue ?? false,
            isMultiEntry: value["multiEntry"]?.boolValue ?? false,
            isCaseInsensitive: value["collation"]?.stringValue == "case-insensitive",
            isPartial: value["where"] != nil,
            isFullText: value["type"]?.stringValue == "full-text")
    }

    private static func strings(_ value: Value?) -> [String] {
        (value?.arrayValue ?? []).compactMap(\.stringValue)
    }

    /// What a tree of the collection holds: `records`, or an index's name.
    func treeName(_ number: UInt32) -> String {
        if number == 0 { return "records" }
        if holdsChanges(number) { return Self.changesTreeName }
        if evictionTree?.number == number { return Self.evictionTreeName }
        return indexes.first { $0.number == number }?.name ?? "index \(number)"
    }

    /// Whether a tree of the collection holds changes in their order.
    func holdsChanges(_ tree: UInt32) -> Bool { tree == Self.changesTree(kind) }

    /// Its tree of changes in their order, if it has one.
    var changesTree: UInt32? {
        Self.changesTree(kind).flatMap { trees.contains($0) ? $0 : nil }
    }

    /// What a tree of changes is asked for by.
    static let changesTreeName = "changes in order"
    /// What a tree in the order of eviction is asked for by.
    static let evictionTreeName = "order of eviction"
}
