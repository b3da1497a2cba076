/// What a request's body is: a type whose members say their names, what they must be, and whether they may be left out. Reading, its refusals and the
/// description of the API follow from the declaration.
package protocol Declared: Sendable {
    /// Before anything is read: required members are overwritten, optional ones stay as this has them.
    init()
    static var members: Members<Self> { get }
}

extension Declared {
    /// Each member is looked at once, whatever their number.
    /// - Parameter envelope: names that somebody else reads from the same object.
    /// - Throws: the first of: no object, a name that is not declared (in the order sent), a member that is missing or wrong (in the order declared).
    package init(_ value: JSONValue, besides envelope: [String] = []) throws(RequestFault) {
        guard case .object(let given) = value else { throw RequestFault(.notAnObject) }
        self.init()
        try Self.members.read(given, into: &self, besides: envelope)
    }
}

/// The members of a declared object.
package struct Members<Root: Declared>: Sendable {
    package let all: [Member<Root>]
    private let known: Set<String>

    package init(_ members: Member<Root>...) {
        all = members
        known = Set(members.map(\.name))
    }

    /// - Parameter more: members that stand in the same object and are declared elsewhere.
    package func shape(besides more: [MemberShape] = []) -> Shape {
        .object(more + all.map { MemberShape($0.name, $0.shape, isRequired: $0.isRequired) })
    }

    fileprivate func read(_ given: [(String, JSONValue)], into root: inout Root, besides envelope: [String]) throws(RequestFault) {
        var byName: [String: JSONValue] = [:]
        for (name, value) in given {
            guard known.contains(name) else {
                if envelope.contains(name) { continue }
                throw RequestFault(.unknown(known: envelope + all.map(\.name)), at: [name])
            }
            byName[name] = value
        }
        for member in all {
            do throws(RequestFault) {
                if let value = byName[member.name] {
                    try member.set(&root, value)
                } else if member.isRequired {
                    throw RequestFault(.missing)
                }
            } catch { throw error.within(member.name) }
        }
    }
}

/// One member: its name, what it must be, and where it is kept.
package struct Member<Root>: Sendable {
    package let name: String
    package let shape: Shape
    package let isRequired: Bool
    fileprivate let set: @Sendable (inout Root, JSONValue) throws(RequestFault) -> Void

    package static func required<Value: Sendable>(
        _ name: String, _ place: WritableKeyPath<Root, Value> & Sendable, _ kind: Kind<Value>
    ) -> Self {
        Self(name: name, shape: kind.shape, isRequired: true) { root, value throws(RequestFault) in
            root[keyPath: place] = try kind.read(value)
        }
    }

    /// nil, or what `init()` set, where it is left out. A null is no value.
    package static func optional<Value: Sendable>(
        _ name: String, _ place: WritableKeyPath<Root, Value?> & Sendable, _ kind: Kind<Value>
    ) -> Self {
        Self(name: name, shape: kind.shape, isRequired: false) { root, value throws(RequestFault) in
            root[keyPath: place] = try kind.read(value)
        }
    }
}
