// Bytes that a folder takes of the disk.
internal import Foundation

enum FolderSize {
    /// What is allocated to its files, in bytes: blocks reserved and not yet written count. (Foundation's own
    /// figure for this is eight times too high on Linux.)
    static func bytes(_ directory: String) -> Int {
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: directory)) ?? []
        return names.reduce(0) { sum, name in
            var information = stat()
            guard unsafe lstat(directory + "/" + name, &information) == 0 else { return sum }
            return sum + Int(information.st_blocks) * 512
        }
    }
}
