// Schemas and values as JSON texts, held against each other without a store.
import Foundation
import OfflineDocuments

@testable import OfflineKit

/// A compiled schema.
struct SchemaCheck {
    let program: SchemaProgram

    init(_ schema: Value) throws { program = try SchemaProgram(compiling: schema) }

    init(json schema: String) throws { try self.init(Value(json: Data(schema.utf8))) }

    /// What is wrong with a value; nil if nothing is.
    func failure(
        of value: Value, limits: SchemaEvaluation.Limits = SchemaEvaluation.Limits()
    ) throws -> SchemaFailure? {
        let operand = try EncodedOperand(value)
        var evaluation = SchemaEvaluation(
            program, BoundSchema(program, in: operand.names), operand.names, limits: limits)
        return try unsafe evaluation.accepts(operand.encoded) ? nil : evaluation.failure
    }

    /// The same as "path pointer"; "valid" if nothing is wrong.
    func verdict(_ json: String) throws -> String {
        guard let failure = try failure(of: Value(json: Data(json.utf8))) else { return "valid" }
        return "\(failure.place) \(failure.pointer(program))"
    }
}
