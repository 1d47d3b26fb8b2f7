/// A binary heap that gives its smallest element first.
struct MinHeap<Element: Comparable> {
    private var elements: [Element]

    init(_ elements: [Element]) {
        // Sorted order is a heap's order.
        self.elements = elements.sorted()
    }

    mutating func push(_ element: Element) {
        var index = elements.count
        elements.append(element)
        while index > 0, elements[index] < elements[(index - 1) / 2] {
            elements.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    mutating func popMin() -> Element? {
        guard let last = elements.popLast() else { return nil }
        guard let smallest = elements.first else { return last }
        elements[0] = last
        sink()
        return smallest
    }

    /// Moves the first element to where it belongs.
    private mutating func sink() {
        var index = 0
        while let child = smallerChild(of: index), elements[child] < elements[index] {
            elements.swapAt(index, child)
            index = child
        }
    }

    private func smallerChild(of index: Int) -> Int? {
        let left = 2 * index + 1
        guard left < elements.count else { return nil }
        let right = left + 1
        return right < elements.count && elements[right] < elements[left] ? right : left
    }
}
