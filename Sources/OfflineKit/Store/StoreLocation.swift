// Where a database's folder is.
internal import Foundation

/// The folder of a database.
enum StoreLocation {
    /// The path of the database's own folder: its name with the suffix `.offline`, in the folder
    /// that the options name, which must exist, or in the platform's folder for application data,
    /// which is made if need be.
    static func path(
        for options: StorageOptions,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(OfflineError) -> String {
        let parent =
            if let directory = options.directory {
                directory.path(percentEncoded: false)
            } else {
                try applicationData(environment)
            }
        return (parent.hasSuffix("/") ? parent : parent + "/") + options.databaseName + ".offline"
    }

    /// `$XDG_DATA_HOME`, else `~/.local/share`; on Apple platforms Application Support.
    private static func applicationData(
        _ environment: [String: String]
    ) throws(OfflineError) -> String {
        guard let path = applicationDataPath(environment) else {
            throw OfflineError(
                .storageUnavailable,
                "there is no folder for application data: set StorageOptions.directory")
        }
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        } catch {
            throw OfflineError(
                .storageUnavailable,
                "the folder \(path) can't be made: \(error.localizedDescription)")
        }
        return path
    }

    private static func applicationDataPath(_ environment: [String: String]) -> String? {
        #if canImport(Darwin)
            let folders = FileManager.default.urls(
                for: .applicationSupportDirectory, in: .userDomainMask)
            return folders.first?.path(percentEncoded: false)
        #else
            // The specification has a relative path ignored.
            if let data = environment["XDG_DATA_HOME"], data.hasPrefix("/") { return data }
            if let home = environment["HOME"], home.hasPrefix("/") { return home + "/.local/share" }
            return nil
        #endif
    }
}
