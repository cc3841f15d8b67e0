// The committed state of the whole store: what a new reader sees, and what a checkpoint freezes.

/// What is kept of a numbered file beside its bytes.
package struct FileUsage: Equatable, Sendable {
    package var kind: FileNames.Kind
    package var isStaged = false
    /// Bytes in use from the file's start.
    package var length: UInt64
    /// Bytes that trees point to.
    package var liveBytes: Int64
    /// Staged files: what relative sequences count from.
    package var baseSequence: UInt64 = 0
}

/// All collections at one position of the log. Replaced as a whole under the engine's lock.
package struct StoreState: Sendable {
    /// By collection id; nil where no collection has it.
    package var versions: [CollectionVersion?] = [nil]
    /// The log up to here is in `versions`.
    package var position: LogPosition
    /// The chain value at `position`.
    package var chain: UInt32
    package var nextSequence: UInt64
    package var applicationVersion: UInt64 = 0
    package var files: [FileNumber: FileUsage] = [:]

    package func version(_ id: UInt32) -> CollectionVersion? {
        Int(id) < versions.count ? versions[Int(id)] : nil
    }

    package mutating func set(_ version: CollectionVersion) {
        let index = Int(version.id)
        if index >= versions.count {
            versions.append(contentsOf: repeatElement(nil, count: index + 1 - versions.count))
        }
        versions[index] = version
    }

    package var collections: [CollectionVersion] { versions.compactMap { $0 } }

    /// Bytes of log that trees point to.
    package var liveLogBytes: Int64 {
        files.values.reduce(0) { $1.kind == .log ? $0 + $1.liveBytes : $0 }
    }

    /// The catalog of this state.
    package func catalog(nextFileNumber: UInt32) -> Catalog {
        var catalog = Catalog()
        catalog.applicationVersion = applicationVersion
        catalog.nextSequence = nextSequence
        catalog.nextFileNumber = nextFileNumber
        catalog.collections = collections.map(\.catalogEntry)
        catalog.files = files.sorted { $0.key < $1.key }.map { number, usage in
            Catalog.File(
                number: number, kind: usage.kind, isStaged: usage.isStaged, length: usage.length,
                liveBytes: usage.liveBytes, baseSequence: usage.baseSequence)
        }
        return catalog
    }
}

/// What a commit changes in a store's state when it is published.
package struct StateChange: Sendable {
    package var versions: [CollectionVersion] = []
    /// The log position, chain value and sequence after the commit; nil for a change that isn't in the log.
    package var end: (position: LogPosition, chain: UInt32, nextSequence: UInt64)?
    /// Bytes that became live or dead, by file.
    package var liveDeltas: [(file: FileNumber, bytes: Int64)] = []
    /// Staged files that the commit adopted.
    package var adopted: [(file: FileNumber, usage: FileUsage)] = []

    package func apply(to state: inout StoreState) {
        for version in versions { state.set(version) }
        for (file, usage) in adopted { state.files[file] = usage }
        if let end {
            state.position = end.position
            state.chain = end.chain
            state.nextSequence = end.nextSequence
            if state.files[end.position.file] == nil {
                state.files[end.position.file] = FileUsage(
                    kind: .log, length: end.position.offset, liveBytes: 0)
            }
            state.files[end.position.file]?.length = end.position.offset
        }
        for (file, bytes) in liveDeltas { state.files[file]?.liveBytes += bytes }
    }
}
