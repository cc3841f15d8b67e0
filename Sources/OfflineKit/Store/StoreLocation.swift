// Where a database's folder is.
internal import Foundation

/// The folder of a database.
enum StoreLocation {
    /// The path of the database's own folder: its name with the suffix `.offline`, in the folder that the options name, or in the
    /// platform's folder for application data.
    static func path(for options: StorageOptions) throws(OfflineError) -> String {
        let parent =
            if let directory = options.directory {
                directory.path(percentEncoded: false)
            } else {
                try applicationData()
            }
        return (parent.hasSuffix("/") ? parent : parent + "/") + options.databaseName + ".offline"
    }

    /// `$XDG_DATA_HOME`, else `~/.local/share`; on Apple platforms Application Support.
    private static func applicationData() throws(OfflineError) -> String {
        #if canImport(Darwin)
            let folders = FileManager.default.urls(
                for: .applicationSupportDirectory, in: .userDomainMask)
            if let folder = folders.first { return folder.path(percentEncoded: false) }
        #else
            let environment = ProcessInfo.processInfo.environment
            // The specification has a relative path ignored.
            if let data = environment["XDG_DATA_HOME"], data.hasPrefix("/") { return data }
            if let home = environment["HOME"], home.hasPrefix("/") { return home + "/.local/share" }
        #endif
        throw OfflineError(
            .storageUnavailable,
            "there is no folder for application data: set StorageOptions.directory")
    }
}
