// Entry: options, the run, the report.
internal import Foundation

@main
struct OfflineBench {
    static func main() async {
        do {
            let options = try BenchOptions(Array(CommandLine.arguments.dropFirst()))
            if options.wantsHelp {
                print(BenchOptions.help)
            } else {
                try await measure(options)
            }
        } catch {
            Progress.show("")
            FileHandle.standardError.write(Data("offline-bench: \(error)\n".utf8))
            exit(1)
        }
    }

    /// Off the main thread: an application's work doesn't run there either, and a hop to it costs more than a read.
    @concurrent
    private static func measure(_ options: BenchOptions) async throws {
        if options.isLive {
            print(try await LiveQueryBench(options).run())
            return
        }
        if options.isSpace {
            print(try await SpaceBench(options).run())
            return
        }
        if options.isAccess {
            print(try await AccessBench(options).run())
            return
        }
        if options.isValidation {
            print(try await ValidationBench(options).run())
            return
        }
        if options.isSealed {
            print(try await SealedBench(options).run())
            return
        }
        var run = BenchRun(options)
        try await run.run()
        print(ResultsTable(results: run.results).text)
        if options.saves { print("\nsaved: \(try ResultsFile.save(run.results))") }
    }
}
