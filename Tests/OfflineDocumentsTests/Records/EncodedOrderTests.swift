import OfflineBytes
import Testing

@testable import OfflineDocuments

/// The total order on encoded bytes against the one on values, which in turn is held to be one.
struct EncodedOrderTests {
    private func sign(_ order: Int) -> Int { order.signum() }

    @Test(arguments: 1...3)
    func `encoded values are ordered as values are, whatever their dictionaries`(
        seed: UInt64
    ) throws {
        var random = SeededGenerator(seed: seed)
        var values = (0..<60).map { _ in random.value(depth: 3) }
        for index in 0..<60 { values.append(random.neighbour(of: values[index])) }
        let operands = try values.map { try EncodedOperand($0) }
        // The same values with every name given an id in another order, and one without any id.
        let reversed = NameDictionary(Set(operands.flatMap { $0.names.names }).sorted().reversed())
        let records = try values.map { try TestRecord(["": $0, "v": $0], dictionary: reversed) }
        for left in values.indices {
            for right in values.indices {
                let expected = sign(Value.order(values[left], values[right]))
                let what = "seed \(seed): \(values[left].json()) and \(values[right].json())"
                let a = operands[left]
                let b = operands[right]
                #expect(
                    unsafe sign(EncodedValue.order(a.encoded, a.names, b.encoded, b.names))
                        == expected, "\(what)")
                unsafe records[right].withRoot { root in
                    let names = records[right].names
                    guard let value = unsafe root.field(FieldName("v", in: names)) else {
                        Issue.record("\(what)")
                        return
                    }
                    #expect(
                        unsafe sign(EncodedValue.order(a.encoded, a.names, value, names))
                            == expected, "\(what)")
                }
            }
        }
    }

    @Test
    func `an operand reads back as its value`() throws {
        var random = SeededGenerator(seed: 9)
        for _ in 0..<200 {
            let value = random.value(depth: 3)
            let operand = try EncodedOperand(value)
            #expect(unsafe operand.encoded.value(operand.names).isIdentical(to: value))
        }
    }

    @Test
    func `an operand that fits no record is refused`() {
        let error = #expect(throws: OfflineError.self) {
            _ = try EncodedOperand(.object(RecordLimitTests.nested(100)))
        }
        #expect(error?.code == .invalidDocument)
    }
}
