// Scratch memory on a cache line's border, kept from use to use.
#ifndef CTORCH_ALIGNED_MEMORY_HPP
#define CTORCH_ALIGNED_MEMORY_HPP

#include <cstdint>
#include <cstdlib>
#include <new>

namespace ctorch {

template <class Element> class AlignedMemory {
public:
    AlignedMemory() = default;
    ~AlignedMemory() { std::free(memory); }
    AlignedMemory(const AlignedMemory &) = delete;
    AlignedMemory &operator=(const AlignedMemory &) = delete;

    // Room for `count` elements; what was there is lost.
    Element *reserve(int64_t count) {
        if (count > room) {
            std::free(memory);
            memory = nullptr;
            room = 0;
            size_t bytes = (static_cast<size_t>(count) * sizeof(Element) + 63) / 64 * 64;
            memory = static_cast<Element *>(std::aligned_alloc(64, bytes));
            if (!memory) { throw std::bad_alloc(); }
            room = count;
        }
        return memory;
    }

    Element *data() { return memory; }
    const Element *data() const { return memory; }

private:
    Element *memory = nullptr;
    int64_t room = 0;
};

} // namespace ctorch

#endif
