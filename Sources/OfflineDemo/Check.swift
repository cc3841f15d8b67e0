// The demo believes nothing that it shows.
internal import Synchronization

/// An answer that is not as the data says.
struct WrongAnswer: Error, CustomStringConvertible {
    let description: String
}

/// Compares answers with what plain Swift finds in the source data.
enum Check {
    private static let made = Atomic<Int>(0)

    /// How many comparisons there were.
    static var count: Int { made.load(ordering: .relaxed) }

    static func equal<Value: Equatable>(
        _ what: String, _ answer: Value, _ expected: Value
    ) throws {
        made.add(1, ordering: .relaxed)
        guard answer == expected else {
            throw WrongAnswer(
                description: "\(what): the store says \(answer), the data say \(expected)")
        }
    }

    static func holds(_ what: String, _ isSo: Bool) throws { try equal(what, isSo, true) }
}
