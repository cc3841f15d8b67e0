// Making log files: the next one is made before it is needed, its blocks written ahead with zeros and its name synced,
// off the commit path, so that a commit pays one flush into written blocks and nothing else.
//
// A prepared file is all zeros: it has no header until it is put to use, and a recovery that finds it so ignores it.
internal import OfflineBytes

/// Gives out file numbers and makes log files.
package final class LogFiles: Sendable {
    private let files: OpenFiles
    private let options: EngineOptions
    private let nextNumber: Protected<UInt32>

    package init(files: OpenFiles, options: EngineOptions, nextNumber: UInt32) {
        self.files = files
        self.options = options
        self.nextNumber = Protected(nextNumber)
    }

    /// A number that no file of this store has had.
    package func takeNumber() -> FileNumber {
        nextNumber.withLock { next in
            defer { next += 1 }
            return FileNumber(next)
        }
    }

    package var next: UInt32 { nextNumber.withLock { $0 } }

    /// The most that one log file may hold.
    package var fileBytesMax: Int {
        guard let limit = options.sizeLimit else { return Limits.logFileBytesMax }
        let share = Int(clamping: limit / Limits.logFileShareOfSizeLimit)
        return max(min(Limits.logFileBytesMax, share), 16 << 10)
    }

    /// The size of the next log file: a sixteenth of what is alive, within bounds; room for a frame of `frame` bytes and
    /// four times the catalog that it opens with. A multiple of 4,096.
    package func fileBytes(liveBytes: Int64, catalog: Int, frame: Int) -> Int {
        // Where the reserve is in use, others need some of it too.
        let usual = files.reserve.isGivenUp ? 0 : usualBytes(liveBytes: liveBytes)
        let needed = max(4 * catalog, FileHeader.size + catalog + FrameHeader.size + frame)
        return (max(usual, needed) + 4095) & ~4095
    }

    /// The size of a log file without regard to what it has to hold.
    func usualBytes(liveBytes: Int64) -> Int {
        let share = Int(clamping: liveBytes / Limits.logFileShareOfLiveBytes)
        return min(fileBytesMax, max(options.logFileBytesMin, share))
    }

    /// The size of the files that compaction moves records to: what dies in them is found file by file.
    func movedFileBytes(liveBytes: Int64) -> Int {
        let share = Int(clamping: liveBytes / Limits.logFileShareOfLiveBytes)
        return min(fileBytesMax, max(share, 1 << 20))
    }

    /// Bytes written ahead in one call. Larger ones make the system cache the file in larger pieces, and each later small
    /// write into them then costs two to three times as much (measured: 2.4 to 3.3 us against 0.8 to 1.05).
    private static let chunkBytes = 64 << 10

    /// A new log file of `size` zero bytes, its blocks written and its name durable.
    package func make(_ number: FileNumber, size: Int) throws(EngineError) -> StoredFile {
        let path = files.path(number, .log)
        return try io { () throws(FileSystemError) in
            let file = try files.system.open(path, .create)
            do throws(FileSystemError) {
                let chunk = [UInt8](repeating: 0, count: min(size, Self.chunkBytes))
                var offset = 0
                while offset < size {
                    let count = min(chunk.count, size - offset)
                    try file.write(
                        count == chunk.count ? chunk : Array(chunk[..<count]), at: UInt64(offset))
                    offset += count
                }
                try file.sync()
                try files.system.syncDirectory(files.folder)
                return try files.add(file, number, .log, length: size)
            } catch {
                file.close()
                // What was allocated must not stay behind on a full disk; a failure to remove it is found at the next open.
                try? files.system.remove(path)
                throw error
            }
        }
    }

    /// Removes a file that was made and never used.
    package func discard(_ file: StoredFile) {
        let path = files.path(file.number, .log)
        files.drop(file.number)
        try? files.system.remove(path)
    }
}
