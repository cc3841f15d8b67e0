// References that no index finds, for those who look for them again and again in one state of the store: a stream, page by
// page, and a cascade, wave by wave. The first look-up reads the whole collection as any other does; the second one reads it
// to note all references, and from then on a look-up reads only what it finds.
//
// What is held are keys: those of the collection's records, and those that they refer to.
internal import OfflineBytes
import OfflineDocuments

/// Which records of a collection refer to which keys.
struct ReferenceMap: Sendable {
    /// The keys of the records that refer to anything, ascending.
    private var keys = KeyList()
    /// Of each key that is referred to, the places of the records that do, ascending.
    private var places: [[UInt8]: [Int]] = [:]

    /// Notes a record; records come in the order of their keys.
    mutating func add(_ key: [UInt8], referringTo owners: [[UInt8]]) {
        if owners.isEmpty { return }
        for owner in owners { places[owner, default: []].append(keys.count) }
        keys.append(key[...])
    }

    /// The keys of the records that refer to any of these, ascending.
    func keys(referringTo owners: some Sequence<[UInt8]>) -> [[UInt8]] {
        let found = Set(owners.flatMap { places[$0] ?? [] })
        return found.sorted().map { place in
            var key: [UInt8] = []
            keys.copy(place, into: &key)
            return key
        }
    }
}

/// The maps of one state of the store, as far as they were needed.
final class ReferenceMaps: Sendable {
    private struct Field: Hashable {
        let collection: CollectionID
        let path: FieldPath
        let referred: CollectionID
    }
    private enum Knowledge: Sendable {
        case wasAsked
        case map(ReferenceMap)
    }
    private let fields = Protected<[Field: Knowledge]>([:])

    /// The references of `records` to `referred` at the path; nil when they are asked for the first time.
    func map(
        of records: RelatedRecords, to referred: CollectionState, at path: FieldPath
    ) throws -> ReferenceMap? {
        let field = Field(collection: records.collection.id, path: path, referred: referred.id)
        let known = fields.withLock { fields in
            defer { if fields[field] == nil { fields[field] = .wasAsked } }
            return fields[field]
        }
        switch known {
        case nil: return nil
        case .map(let map): return map
        case .wasAsked:
            let map = try records.referenceMap(to: referred, at: path)
            fields.withLock { $0[field] = .map(map) }
            return map
        }
    }
}
