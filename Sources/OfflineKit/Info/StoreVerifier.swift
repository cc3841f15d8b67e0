// Checks what only the store can check: that every record is well-formed and stands under its own
// key, that every index entry derives from exactly one live record, and that none is missing.
//
// Proof of the last two, for every kind of index: each record's entries are derived and looked up.
// Entries of one record are distinct, and different records have different ones (an entry has the
// record's key in it, behind values that end by themselves or are cut), so if all are there and the
// tree has just as many keys as were derived, there are no others.
internal import OfflineBytes

/// Walks all collections in one view.
struct StoreVerifier {
    private let view: ReadView
    private(set) var report = VerificationReport()
    /// After so many problems of one collection the rest is only counted.
    private static let problemsMax = 100

    init(_ view: ReadView) { self.view = view }

    mutating func run() throws {
        for collection in view.schema.collections {
            var problems = CollectionProblems(collection: collection.name, max: Self.problemsMax)
            try check(collection, &problems)
            report.problems += problems.all
        }
    }

    /// Adds what the backend found below the level of documents.
    mutating func add(_ backend: BackendVerification) {
        report.problems = backend.problems + report.problems
        report.bytesChecked = backend.bytesChecked
    }

    private mutating func check(
        _ collection: CollectionState, _ problems: inout CollectionProblems
    ) throws {
        let names = view.names(of: collection)
        let cursor = try view.records(collection)
        var key: [UInt8] = []
        var entries = DerivedKeys()
        var derived: [UInt32: Int] = [:]
        while try cursor.next() {
            cursor.copyKey(into: &key)
            report.recordsChecked += 1
            entries.removeAll()
            do {
                let document = try cursor.document()
                try checkKey(key, document, collection)
                try unsafe cursor.withRecord { record in
                    unsafe names.indexKeys.append(record, key: key.span.bytes, to: &entries)
                }
            } catch {
                problems.add("record \(Self.shown(key)): \(error)")
                continue
            }
            for entry in entries.entries {
                derived[entry.index, default: 0] += 1
                let tree = TreeID(collection.id, entry.index)
                let bytes = Array(entries.key(entry))
                if try !view.adapter.contains(tree, of: collection, key: bytes) {
                    let index = collection.indexes.first { $0.number == entry.index }
                    problems.add(
                        "record \(Self.shown(key)) lacks an entry in index "
                            + "\"\(index?.name ?? "")\"")
                }
            }
        }
        try checkCounts(collection, derived, &problems)
    }

    private func checkKey(
        _ key: [UInt8], _ document: Document, _ collection: CollectionState
    ) throws {
        if try RecordKeys.existing(in: document, of: collection) != key {
            throw OfflineError(.corrupted, "the record stands under a key that isn't its own")
        }
    }

    private func checkCounts(
        _ collection: CollectionState, _ derived: [UInt32: Int],
        _ problems: inout CollectionProblems
    ) throws {
        for index in collection.indexes {
            let count = try view.count(collection, index, in: .all)
            let expected = derived[index.number] ?? 0
            if count != expected {
                problems.add(
                    "index \"\(index.name)\" has \(count) entries; \(expected) derive from records")
            }
        }
    }

    private static func shown(_ key: [UInt8]) -> String {
        (try? KeyDecoder.value(key).json()) ?? "with a malformed key"
    }
}

/// One collection's problems, as many as are worth reading.
private struct CollectionProblems {
    let collection: String
    let max: Int
    private var shown: [String] = []
    private var more = 0

    init(collection: String, max: Int) {
        self.collection = collection
        self.max = max
    }

    mutating func add(_ problem: String) {
        if shown.count < max {
            shown.append("collection \"\(collection)\": \(problem)")
        } else {
            more += 1
        }
    }

    var all: [String] {
        more == 0 ? shown : shown + ["collection \"\(collection)\": and \(more) more problems"]
    }
}

extension StoreCore {
    /// Checks the backend's bytes, then records and indexes.
    func verify() async throws -> VerificationReport {
        let below: BackendVerification
        do {
            below = try await backend.verify()
        } catch {
            throw ErrorMapping.publicError(error)
        }
        var verifier = try StoreVerifier(view())
        try verifier.run()
        verifier.add(below)
        return verifier.report
    }
}
