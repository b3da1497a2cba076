import Synchronization

/// A few pictures that go round: one that nobody else holds is taken again, so that a running stream allocates none. Has one owner at a time.
package struct PictureRing {
    /// The one on show, the one that the composer just took, and the one that is written.
    static let most = 4
    private var pictures: [Picture] = []

    package init() { pictures.reserveCapacity(Self.most) }

    /// A picture whose contents are undefined; sides are made even.
    package mutating func take(width: Int, height: Int) -> Picture {
        let shape = PictureShape(width: width, height: height)
        var other: Int?
        for index in pictures.indices where isKnownUniquelyReferenced(&pictures[index]) {
            if pictures[index].width == shape.width, pictures[index].height == shape.height {
                // Whoever read it let it go before this; the fence makes its reads happen before our writes.
                atomicMemoryFence(ordering: .acquiring)
                return pictures[index]
            }
            other = index
        }
        let picture = Picture(width: shape.width, height: shape.height)
        if let other {
            pictures[other] = picture
        } else if pictures.count < Self.most {
            pictures.append(picture)
        }
        return picture
    }

    package mutating func removeAll() { pictures.removeAll(keepingCapacity: true) }
}
