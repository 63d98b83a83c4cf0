//! The counter of ../counter.cc in Rust: what it exports is what engine/component_abi.h says.
use std::ffi::{c_char, c_int, c_void};

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Bytes {
    data: *const c_char,
    size: usize,
}

#[repr(C)]
pub struct Component {
    version: *const c_char,
    create: extern "C" fn(Bytes) -> *mut c_void,
    destroy: extern "C" fn(*mut c_void),
    call: extern "C" fn(*mut c_void, Bytes, *mut Bytes) -> c_int,
    save: extern "C" fn(*mut c_void, *mut Bytes) -> c_int,
}

unsafe impl Sync for Component {}

struct Counter {
    count: u64,
    text: String,
}

impl Counter {
    fn shown(&mut self) -> Bytes {
        self.text = self.count.to_string();
        Bytes { data: self.text.as_ptr().cast(), size: self.text.len() }
    }
}

fn text<'a>(bytes: Bytes) -> &'a str {
    if bytes.data.is_null() {
        return "";
    }
    let slice = unsafe { std::slice::from_raw_parts(bytes.data.cast::<u8>(), bytes.size) };
    std::str::from_utf8(slice).unwrap_or("")
}

extern "C" fn create(state: Bytes) -> *mut c_void {
    let count = text(state).parse().unwrap_or(0);
    Box::into_raw(Box::new(Counter { count, text: String::new() })).cast()
}

extern "C" fn destroy(this: *mut c_void) {
    drop(unsafe { Box::from_raw(this.cast::<Counter>()) });
}

extern "C" fn call(this: *mut c_void, request: Bytes, answer: *mut Bytes) -> c_int {
    let counter = unsafe { &mut *this.cast::<Counter>() };
    counter.count += 1;
    unsafe { *answer = counter.shown() };
    c_int::from(text(request) == "fail")
}

extern "C" fn save(this: *mut c_void, state: *mut Bytes) -> c_int {
    unsafe { *state = (*this.cast::<Counter>()).shown() };
    0
}

#[no_mangle]
#[allow(non_upper_case_globals)]
pub static almanac_component_v1: Component = Component {
    version: c"1.0".as_ptr(),
    create,
    destroy,
    call,
    save,
};
