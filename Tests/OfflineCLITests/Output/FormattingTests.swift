internal import Testing

@testable internal import OfflineCLI

@Suite struct FormattingTests {
    @Test(arguments: [
        (0, "0"), (999, "999"), (1_000, "1,000"), (-1_234_567, "-1,234,567"),
        (Int.min, "-9,223,372,036,854,775,808"),
    ])
    func `figures are grouped`(number: Int, text: String) {
        #expect(Figures.grouped(number) == text)
    }

    @Test func `one is no plural`() {
        #expect(Figures.counted(1, "byte") == "1 byte")
        #expect(Figures.counted(2, "byte") == "2 bytes")
        #expect(Figures.counted(0, "entry", plural: "entries") == "0 entries")
    }

    @Test func `bytes are shown in rows of sixteen`() {
        let rows = Figures.hexRows(Array("abcdefghijklmnop\u{0}".utf8), at: 64)
        #expect(
            rows == [
                "64  61 62 63 64 65 66 67 68 69 6a 6b 6c 6d 6e 6f 70  |abcdefghijklmnop|",
                "80  00                                               |.|",
            ])
        #expect(Figures.hex(UInt32(0xAB)) == "000000ab")
    }

    @Test func `columns are as wide as what is in them`() {
        var table = TextTable([("name", .left), ("bytes", .right), ("note", .left)])
        table.add(["a", "1,000,000", "first"])
        table.add(["longer", "5"])
        #expect(
            table.lines() == [
                "name        bytes  note", "a       1,000,000  first", "longer          5",
            ])
    }
}
