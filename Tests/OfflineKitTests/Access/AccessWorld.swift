// The records, policies and principals of the tests of sessions. Every value that a policy may hide is a marker, which no error may
// have in its text.
import Foundation

@testable import OfflineKit

enum AccessWorld {
    /// Everything that is hidden anywhere begins so.
    static let marker = "HIDDEN"

    static let notes: [Document] = [
        note(0, "ann", 1, shared: true, "blue sea"), note(1, "ann", 2, shared: false, "blue sky"),
        note(2, "bob", 0, shared: true, "green sea"), note(3, "bob", 3, shared: false, "red sky"),
        note(4, "bob", 2, shared: false, "blue blue"), note(5, "mia", 1, shared: true, "red sea"),
        note(6, "mia", 0, shared: false, "green blue"),
    ]

    static func note(
        _ number: Int64, _ owner: String, _ level: Int64, shared: Bool, _ body: String
    ) -> Document {
        [
            "id": .string("key-\(number)-k"), "owner": .string(owner), "level": .int(level),
            "shared": .bool(shared), "body": .string(body),
            "tags": ["t\(level)", .string(owner)],
            "secret": ["code": .string("\(marker)-code-\(number)"), "hint": .string("h\(level)")],
            "items": [
                ["name": "pen", "price": .string("\(marker)-price-\(number)")],
                ["name": .string("n\(level)")], "loose",
            ],
        ]
    }

    static let indexes: [IndexSchema] = [
        IndexSchema(name: "owner", keyPath: "owner"), IndexSchema(name: "level", keyPath: "level"),
        IndexSchema(name: "both", keyPaths: ["owner", "level"]),
        IndexSchema(name: "tags", keyPath: "tags", multiEntry: true),
        IndexSchema(name: "code", keyPath: "secret.code"),
        .fullText(name: "words", keyPaths: ["body"]),
    ]

    static func schema(_ policy: AccessPolicy?) -> [CollectionSchema] {
        [CollectionSchema(name: "notes", indexes: indexes, accessPolicy: policy)]
    }

    typealias Rule = AccessPolicy.Rule
    static let all = Set(AccessPolicy.Operation.allCases)

    static let policies: [(name: String, policy: AccessPolicy?)] = [
        ("none", nil), ("empty", AccessPolicy([])),
        ("everyone reads", AccessPolicy([Rule(role: "*", operations: [.read])])),
        (
            "own records",
            AccessPolicy([Rule(role: "*", operations: all, where: ["owner": "$principal"])])
        ),
        (
            "clerks don't see levels",
            AccessPolicy([
                Rule(role: "clerk", operations: all, hiddenFields: ["level"]),
                Rule(role: "chief", operations: all),
            ])
        ),
        (
            "shared ones without secrets, own ones with",
            AccessPolicy([
                Rule(
                    role: "*", operations: [.read], where: ["shared": true],
                    hiddenFields: ["body", "secret"]),
                Rule(role: "*", operations: all, where: ["owner": "$principal"]),
            ])
        ),
        (
            "nested fields",
            AccessPolicy([
                Rule(role: "clerk", operations: all, hiddenFields: ["secret.code", "items.price"])
            ])
        ),
        (
            "more is hidden above a level",
            AccessPolicy([
                Rule(role: "*", operations: all, where: ["level": ["$lt": 2]]),
                Rule(
                    role: "*", operations: [.read, .update, .create],
                    where: ["level": ["$gte": 2]], hiddenFields: ["body", "secret.hint"]),
            ])
        ),
        (
            "write only",
            AccessPolicy([
                Rule(role: "clerk", operations: [.create, .update]),
                Rule(role: "chief", operations: [.read, .delete], where: ["level": ["$lt": 2]]),
            ])
        ),
        (
            "by what is hidden",
            AccessPolicy([
                Rule(
                    role: "*", operations: [.read, .update, .delete],
                    where: ["$or": [["level": 0], ["owner": ["$in": ["$principal"]]]]],
                    hiddenFields: ["level"])
            ])
        ),
    ]

    static let principals = [
        Principal(id: "ann", roles: ["clerk"]), Principal(id: "bob"),
        Principal(id: "mia", roles: ["clerk", "chief"]), Principal(id: ""),
        Principal(id: "$principal", roles: ["*"]),
    ]
}
