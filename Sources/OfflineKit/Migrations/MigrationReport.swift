// What a rehearsal found.
internal import OfflineBytes
internal import OfflineDocuments

/// What migrations would do to a store.
///
/// ```swift
/// let report = try await migrations.rehearse(options)
/// if !report.violations.isEmpty { print(report) }   // before it is shipped
/// ```
public struct MigrationReport: Sendable, CustomStringConvertible {
    /// A record that a migration would change.
    public struct Difference: Sendable, Hashable {
        /// The version that the migration leads to.
        public let version: Int
        /// The record's collection.
        public let collection: String
        /// The record's key, before where it is moved.
        public let key: Value
        /// The record before the migration, without sensitive fields; nil where there was none.
        public let before: Document?
        /// The record after the migration, without sensitive fields; nil where there would be none.
        public let after: Document?
    }
    /// Each migration that would run, as the last that `progress` would hear of it.
    public internal(set) var steps: [MigrationProgress] = []
    /// What the real run would throw: a migration's error, after which none runs; or, after all of them, the first constraint or unique
    /// index of the new schema that the records break. Empty: it would succeed, if there
    /// is room for it: a rehearsal knows no limits of size.
    public internal(set) var violations: [OfflineError] = []
    /// Of the records that would change some of each migration, the first ones that it changes.
    public internal(set) var differences: [Difference] = []
    /// How long the rehearsal took; the real run writes besides.
    public internal(set) var duration = Duration.zero
    /// Bytes of keys and records that would be written, indexes not counted.
    public internal(set) var bytesWritten: Int64 = 0

    init() {}

    /// Everything in lines, for people.
    public var description: String {
        var lines: [String] = []
        for step in steps {
            let records = step.recordsChanged == 1 ? "1 record" : "\(step.recordsChanged) records"
            lines.append(
                "version \(step.version), \(step.name): \(records) changed"
                    + (step.isFinished ? "" : ", not finished"))
            for difference in differences where difference.version == step.version {
                func shown(_ document: Document?) -> String { document?.json() ?? "nothing" }
                lines.append(
                    "    \(difference.collection) \(difference.key.json()): "
                        + "\(shown(difference.before)) becomes \(shown(difference.after))")
            }
        }
        if steps.isEmpty { lines.append("no migration is due") }
        lines.append("\(bytesWritten) bytes written in \(duration)")
        lines += violations.map { "would fail: \($0)" }
        return lines.joined(separator: "\n")
    }
}

/// Notes the first records that one migration changes, as they are before and after it.
final class MigrationSamples: Sendable {
    private struct Touched {
        let collection: String
        let key: Value
        let before: Document?
    }
    static let countMax = 5
    private let version: Int
    private let sensitive: [String: HiddenFields]
    private let touched = Protected<[Touched]>([])

    init(_ version: Int, sensitive: [String: HiddenFields]) {
        self.version = version
        self.sensitive = sensitive
    }

    /// The record is about to be changed, or created.
    func willChange(_ collection: String, _ key: Value, in transaction: Transaction) async {
        let isWanted = touched.withLock { touched in
            touched.count < Self.countMax
                && !touched.contains { $0.collection == collection && $0.key == key }
        }
        guard isWanted else { return }
        // Where it can't be read, the change will say so.
        add(collection, key, (try? await transaction.get(collection, key, include: [])) ?? nil)
    }

    /// The record was created under a generated key.
    func created(_ collection: String, _ key: Value) {
        let isKnown = touched.withLock { touched in
            touched.count >= Self.countMax
                || touched.contains { $0.collection == collection && $0.key == key }
        }
        if !isKnown { add(collection, key, nil) }
    }

    private func add(_ collection: String, _ key: Value, _ before: Document?) {
        touched.withLock { $0.append(Touched(collection: collection, key: key, before: before)) }
    }

    /// What has become of them. A record that is the same again is none.
    func differences(in transaction: Transaction) async throws -> [MigrationReport.Difference] {
        var differences: [MigrationReport.Difference] = []
        for touched in touched.withLock({ $0 }) {
            let after = try await transaction.get(touched.collection, touched.key, include: [])
            if after == touched.before { continue }
            let hidden = sensitive[touched.collection] ?? .none
            differences.append(
                MigrationReport.Difference(
                    version: version, collection: touched.collection, key: touched.key,
                    before: touched.before.map(hidden.masked), after: after.map(hidden.masked)))
        }
        return differences
    }
}
