// The committed state of the whole store: what a new reader sees, and what a checkpoint freezes.

/// What is kept of a numbered file beside its bytes.
package struct FileUsage: Equatable, Sendable {
    package var kind: FileNames.Kind
    package var isStaged = false
    /// Bytes in use from the file's start.
    package var length: UInt64
    /// Bytes that trees point to: to the byte in a log file, never less than there are in a node segment.
    package var live = LiveBytes()
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

    /// A collection has no records any more.
    mutating func clear(_ collection: UInt32) {
        for number in files.keys { files[number]?.live.clear(collection) }
    }

    /// Bytes of log that trees point to.
    package var liveLogBytes: Int64 {
        files.values.reduce(0) { $1.kind == .log ? $0 + $1.live.total : $0 }
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
                live: usage.live, baseSequence: usage.baseSequence)
        }
        return catalog
    }
}

/// What a commit changes in a store's state when it is published.
package struct StateChange: Sendable {
    package var versions: [CollectionVersion] = []
    /// The log position, chain value and sequence after the commit; nil for a change that isn't in the log.
    package var end: (position: LogPosition, chain: UInt32, nextSequence: UInt64)?
    /// Collections that were emptied, before anything else of the change.
    package var cleared: [UInt32] = []
    /// Bytes that became live or dead.
    package var liveDeltas: [LiveDelta] = []
    /// Staged files that the commit adopted.
    package var adopted: [(file: FileNumber, usage: FileUsage)] = []

    /// Notes what a collection uses more, or less, of files.
    mutating func note(_ tally: FileTally, of collection: UInt32) {
        for (file, bytes) in tally.sums {
            liveDeltas.append(LiveDelta(file: file, collection: collection, bytes: bytes))
        }
    }

    package func apply(to state: inout StoreState) {
        for collection in cleared { state.clear(collection) }
        for version in versions { state.set(version) }
        for (file, usage) in adopted { state.files[file] = usage }
        if let end {
            state.position = end.position
            state.chain = end.chain
            state.nextSequence = end.nextSequence
            if state.files[end.position.file] == nil {
                state.files[end.position.file] = FileUsage(
                    kind: .log, length: end.position.offset)
            }
            state.files[end.position.file]?.length = end.position.offset
        }
        for delta in liveDeltas { state.files[delta.file]?.live.add(delta.collection, delta.bytes) }
    }
}

/// Bytes of a file that a collection uses more, or less if below 0.
package struct LiveDelta: Sendable {
    package var file: FileNumber
    package var collection: UInt32
    package var bytes: Int64
}
