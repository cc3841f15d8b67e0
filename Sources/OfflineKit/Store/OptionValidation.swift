// Every rule that options must keep besides those of the schema: `.invalidOptions`, naming the
// option.
internal import Foundation

/// Checks options.
enum OptionValidation {
    /// A smaller limit leaves no room for the files that a store needs at all.
    static let sizeLimitMin: Int64 = 1 << 20

    static func check(_ options: StorageOptions) throws(OfflineError) {
        try check(databaseName: options.databaseName)
        if let directory = options.directory, !directory.isFileURL {
            throw invalid("directory is no file URL: \(directory)")
        }
        if options.version < 1 { throw invalid("version is \(options.version); it begins at 1") }
        if let limit = options.sizeLimit, limit < sizeLimitMin {
            throw invalid("sizeLimit is \(limit) bytes; it is at least \(sizeLimitMin) (1 MiB)")
        }
        if let problem = options.evictionStrategy.problem {
            throw invalid("evictionStrategy \(problem)")
        }
        if options.transactionTimeout <= .zero {
            throw invalid("transactionTimeout is \(options.transactionTimeout); it must be above 0")
        }
        if case .periodic(let interval) = options.durability, interval <= .zero {
            throw invalid("durability: the period is \(interval); it must be above 0")
        }
        if case .memory = options.storageBackend.choice { try checkMemory(options) }
        if let manager = options.migrationManager {
            try MigrationPlan(manager.migrations).check(reaches: options.version)
        }
    }

    /// What a store can't do that has no files.
    private static func checkMemory(_ options: StorageOptions) throws(OfflineError) {
        if options.sizeLimit != nil {
            throw invalid("sizeLimit counts bytes on disk; storageBackend .memory has none")
        }
        if options.isReadOnly {
            throw invalid("isReadOnly: storageBackend .memory has nothing to read when it opens")
        }
    }

    /// The name becomes a folder's.
    static func check(databaseName name: String) throws(OfflineError) {
        let problem: String? =
            if let problem = SchemaValidation.problem(inName: name) {
                problem
            } else if name == "." || name == ".." {
                "is no name of its own"
            } else if name.contains("/") || name.contains("\\") {
                "has a / or \\ in it"
            } else {
                nil
            }
        if let problem { throw invalid("databaseName \"\(name)\" \(problem)") }
    }

    private static func invalid(_ problem: String) -> OfflineError {
        OfflineError(.invalidOptions, problem)
    }

    /// The package's trait is off.
    static var withoutSQLite: OfflineError {
        invalid(
            "storageBackend is .sqlite, but the package is built without its trait SQLite; turn the "
                + "trait on, or choose another backend")
    }
}
