// Sixth chapter: a process that writes is killed with -9 in mid-write, and the store is opened again.
internal import Foundation
internal import OfflineKit

struct CrashChapter {
    let folder: URL
    /// The child is killed after so many acknowledged commits.
    private static let commitsBeforeKill = 100

    func run() async throws {
        Console.section("A writer killed with -9")
        let acknowledged = try runAndKillWriter()
        Console.line(
            "the child had \(acknowledged.grouped) commits of \(CrashWriter.recordsPerCommit) records acknowledged when it was killed"
        )

        let clock = ContinuousClock()
        let start = clock.now
        let store = try await OfflineStore.open(CrashWriter.options(in: folder))
        let time = clock.now - start
        let records = try await store.count("entries")
        let commits = records / CrashWriter.recordsPerCommit
        try Check.equal("half commits", records % CrashWriter.recordsPerCommit, 0)
        try Check.holds("every acknowledged commit is there", commits >= acknowledged)
        // It commits one after the other, so one commit may have been whole and not yet acknowledged.
        try Check.holds("nothing else is there", commits <= acknowledged + 1)
        let last = try await store.query(
            "entries", Query(sort: [.descending("id")], limit: 1)
        ).first?["id"]?.intValue
        try Check.equal("the last record's key", last, records)
        let report = try await store.verify()
        try Check.equal("problems after recovery", report.problems, [])
        try await store.close()
        Console.line(
            "opened again in \(time.text): all of them are there"
                + (commits > acknowledged
                    ? ", and one more that was whole but not acknowledged yet"
                    : ", and nothing else"))
        Console.line("\(records.grouped) records; of no commit is there only a part")
        Console.line("verify: \(report.description)")
    }

    /// The number of the last commit that the child reported before it died.
    private func runAndKillWriter() throws -> Int {
        let process = Process()
        process.executableURL = URL(filePath: Self.ownPath)
        process.arguments = ["--writer", folder.path(percentEncoded: false)]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        var said = Data()
        var isKilled = false
        while true {
            let more = pipe.fileHandleForReading.availableData
            if more.isEmpty { break }
            said.append(more)
            if !isKilled
                && said.count(where: { $0 == UInt8(ascii: "\n") }) >= Self.commitsBeforeKill
            {
                kill(process.processIdentifier, SIGKILL)
                isKilled = true
            }
        }
        process.waitUntilExit()
        try Check.equal("the child's end", process.terminationReason, .uncaughtSignal)
        // A line that the kill cut off promised nothing.
        let lines = String(decoding: said, as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false
        ).dropLast()
        return lines.last.flatMap { Int($0) } ?? 0
    }

    /// This executable.
    static var ownPath: String {
        #if os(Linux)
            "/proc/self/exe"
        #else
            Bundle.main.executablePath ?? CommandLine.arguments[0]
        #endif
    }
}
