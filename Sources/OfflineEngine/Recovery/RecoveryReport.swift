// What an open found and did.

/// The outcome of opening a store, for the application's log and the tools.
package struct RecoveryReport: Sendable, Equatable {
    /// The store did not exist before.
    package var isNew = false
    /// It was closed cleanly, and nothing had to be replayed.
    package var wasClean = false
    package var replayedFrames = 0
    package var replayedOperations = 0
    /// Where a power cut's tail was cut off, and why the bytes there are no frame; nil if the log ended well.
    package var cut: (position: LogPosition, reason: String)?
    /// Files of ours that nothing refers to, removed.
    package var removedFiles: [String] = []

    package init() {}

    package static func == (a: RecoveryReport, b: RecoveryReport) -> Bool {
        a.isNew == b.isNew && a.wasClean == b.wasClean && a.replayedFrames == b.replayedFrames
            && a.replayedOperations == b.replayedOperations && a.cut?.position == b.cut?.position
            && a.cut?.reason == b.cut?.reason && a.removedFiles == b.removedFiles
    }
}
