internal import OfflineBytes
internal import Testing

@testable internal import OfflineCLI

@Suite struct ProgressBarTests {
    @Test(arguments: [
        (0, 200, "[                              ]   0%  1 record"),
        (100, 200, "[###############               ]  50%  1 record"),
        (200, 200, "[##############################] 100%  1 record"),
        (300, 200, "[##############################] 100%  1 record"),
    ])
    func `the bar is as long as the input is read`(bytes: Int, total: Int, text: String) {
        #expect(ProgressBar.text(bytes: bytes, of: total, records: 1) == text)
    }

    @Test func `without a known size only records are counted`() {
        #expect(ProgressBar.text(bytes: 5, of: nil, records: 1_234) == "1,234 records")
        #expect(ProgressBar.text(bytes: 0, of: 0, records: 0) == "0 records")
    }

    @Test(arguments: [true, false])
    func `it is shown on a terminal only`(isTerminal: Bool) throws {
        let written = Protected<[UInt8]>([])
        let output = Output(isTerminal: isTerminal) { bytes in written.withLock { $0 += bytes } }
        var bar = ProgressBar(output, total: 10)
        try bar.show(bytes: 5, records: 3)
        try bar.clear()
        let text = written.withLock { String(decoding: $0, as: UTF8.self) }
        #expect(text.contains("3 records") == isTerminal)
        #expect(text.isEmpty == !isTerminal)
    }
}
