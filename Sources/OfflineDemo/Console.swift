// What the demo prints: sections, lines, figures.
internal import Foundation

/// Prints to standard output.
enum Console {
    static func title(_ text: String) {
        print(text)
        print(String(repeating: "=", count: text.count))
    }

    static func section(_ text: String) {
        print("\n\(text)")
        print(String(repeating: "-", count: text.count))
    }

    static func line(_ text: String) {
        print("  \(text)")
        fflush(nil)
    }

    /// A question in words, and how it is asked in code.
    static func question(_ text: String, code: String) {
        print("\n  \(text)")
        print("    \(code)")
    }

    /// The answer's lines.
    static func answer(_ lines: String...) {
        for line in lines { print("    -> \(line)") }
        fflush(nil)
    }

    static func failure(_ text: String) {
        fflush(nil)
        FileHandle.standardError.write(Data("offline-demo: \(text)\n".utf8))
    }
}

extension Int {
    /// `12,345`
    var grouped: String { formatted(.number.locale(Locale(identifier: "en_US"))) }
}

extension Duration {
    /// `1.23 s`, `4.5 ms`, `67 us`
    var text: String {
        let seconds =
            Double(components.seconds) + Double(components.attoseconds) / 1e18
        if seconds >= 1 { return String(format: "%.2f s", seconds) }
        if seconds >= 1e-3 { return String(format: "%.1f ms", seconds * 1e3) }
        return String(format: "%.0f us", seconds * 1e6)
    }
}
