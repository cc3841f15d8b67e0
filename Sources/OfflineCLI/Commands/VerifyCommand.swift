// `offline verify`: is everything in the store as it was written? A store that can be opened is checked whole, trees and
// indexes against records; of one that can't, the files are read for all damage there is.
internal import ArgumentParser
internal import OfflineKit

/// Checks every checksum, tree and index entry.
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check every checksum and tree, and index entries and changes against records.",
        discussion: "Reads only; may run beside a writer, and then checks what is committed now.")

    @Argument(help: ArgumentHelp("The store's folder.", valueName: "store"))
    var path: String

    func run() async throws {
        try await printing { output in
            let folder = try StoreFolder(path)
            do {
                let store = try await StoreAccess.openForReading(folder)
                let report = try await store.verify()
                try await store.close()
                try show(report, output)
            } catch let error as OfflineError where error.code == .corrupted {
                try showDamage(of: folder, error, output)
            }
        }
    }

    private func show(_ report: VerificationReport, _ output: Output) throws {
        let checked =
            "\(Figures.counted(report.recordsChecked, "record")) and "
            + "\(Figures.counted(report.bytesChecked, "byte")) checked"
        if report.isSound {
            return try output.line("\(output.styled("sound", .good)): \(checked)")
        }
        try show(report.problems, output)
        try output.line(checked)
        throw foundProblems
    }

    /// The store can't be opened. What opening met first, then all that can be seen without it.
    private func showDamage(
        of folder: StoreFolder, _ error: OfflineError, _ output: Output
    ) throws {
        let list = ProblemList()
        try StoreDump(DumpContext(folder, list)).all()
        try show(list.problems, output)
        try output.line("the store can't be opened: \(error.message)")
        throw foundProblems
    }

    private func show(_ problems: [String], _ output: Output) throws {
        for problem in problems { try output.line("\(output.styled("damaged", .bad)): \(problem)") }
        try output.line(Figures.counted(problems.count, "problem"))
    }
}
