// Which migrations are to run, and in which order.
//
// Invariant: the steps' versions ascend one by one, so from any version to any other in their range there is exactly one way.

/// An application's migrations, checked and in order.
struct MigrationPlan: Sendable {
    struct Step: Sendable {
        let version: Int
        let name: String
        let migration: any Migration
    }
    private let steps: [Step]

    /// Throws `.invalidOptions` for versions that are out of range, missing between others, or there twice.
    init(_ migrations: [any Migration]) throws(OfflineError) {
        steps =
            migrations
            .map { Step(version: $0.version, name: $0.name, migration: $0) }
            .sorted { $0.version < $1.version }
        if let first = steps.first, first.version < 2 {
            throw Self.invalid(
                "\(first.name) leads to version \(first.version); a store begins with version 1 at least, so 2 is the first one that "
                    + "a migration can lead to")
        }
        for (step, next) in zip(steps, steps.dropFirst()) {
            if step.version == next.version {
                throw Self.invalid(
                    "\(step.name) and \(next.name) both lead to version \(step.version)")
            }
            guard next.version == step.version + 1 else {
                throw Self.invalid(
                    "none leads to version \(step.version + 1), though \(step.name) leads to "
                        + "\(step.version) and \(next.name) to \(next.version)")
            }
        }
    }

    /// Throws where none of them leads to the options' version. Those beyond it are left for later. None at all: no version needs one.
    func check(reaches version: Int) throws(OfflineError) {
        guard let last = steps.last, last.version < version else { return }
        throw Self.invalid(
            "the options' version is \(version), and the last one, \(last.name), leads to \(last.version) only"
        )
    }

    /// The steps up from a stored version.
    func up(from stored: Int, to version: Int) throws(OfflineError) -> [Step] {
        guard stored < version, let first = steps.first else { return [] }
        guard first.version <= stored + 1 else {
            throw Self.invalid(
                "the store has version \(stored), and none leads from there to \(stored + 1): the first one, "
                    + "\(first.name), leads to \(first.version)")
        }
        return steps.filter { stored < $0.version && $0.version <= version }
    }

    /// The steps down from a stored version, newest first.
    func down(from stored: Int, to version: Int) throws(OfflineError) -> [Step] {
        guard version < stored else { return [] }
        guard let last = steps.last, last.version >= stored else {
            throw OfflineError(
                .versionTooNew,
                "the store has version \(stored), and no migration that is known here leads back from it"
            )
        }
        guard let first = steps.first, first.version <= version + 1 else {
            throw Self.invalid(
                "none leads back to version \(version): the first one, \(steps[0].name), leads back to \(steps[0].version - 1)"
            )
        }
        return steps.filter { version < $0.version && $0.version <= stored }.reversed()
    }

    private static func invalid(_ problem: String) -> OfflineError {
        OfflineError(.invalidOptions, "migrationManager's migrations: \(problem)")
    }
}
