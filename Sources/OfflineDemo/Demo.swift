// The demo: real data into a store, questions to it, a rollback, a killed writer, and a look at the files. Every answer is
// checked against the source data by plain Swift over plain arrays; a wrong one ends the demo with exit code 1.
//
// `offline-demo --writer FOLDER` is the child that the chapter on crashes starts and kills (see CrashChapter).
internal import Foundation
internal import OfflineKit

@main
struct Demo {
    static func main() async {
        do {
            let arguments = CommandLine.arguments.dropFirst()
            if arguments.first == "--writer", let folder = arguments.dropFirst().first {
                try await CrashWriter(folder: URL(filePath: folder)).run()
            } else {
                try await run()
            }
        } catch {
            Console.failure("\(error)")
            exit(1)
        }
    }

    private static func run() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "offline-demo-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }

        let source = try SourceData.read()
        Console.title("OfflineStore: an embedded document store, on real data")
        #if DEBUG
            Console.line("(a debug build, so times are several times those of a release build)")
        #endif
        let store = try await ImportChapter(source: source, folder: folder).run()
        try await QuestionChapter(store: store, source: source).run()
        try await RelationChapter(store: store, source: source).run()
        try await RollbackChapter(store: store, source: source).run()
        try await store.close()
        try await ExampleChapter(folder: folder).run()
        try await CrashChapter(folder: folder).run()
        try FilesChapter(folder: folder, source: source).run()
        Console.section("Done")
        Console.line("\(Check.count) answers were checked against the source data; all were right.")
    }
}
