{
  "targets": [
    {
      "target_name": "mishards_kernel",
      "sources": [
        "src/addon/addon.cc",
        "src/addon/completions.cc",
        "src/addon/kernel_object.cc",
        "src/addon/search_request.cc",
        "src/binary_ivf.cc",
        "src/binary_ivf_build.cc",
        "src/block.cc",
        "src/build_job.cc",
        "src/connect_rows.cc",
        "src/container.cc",
        "src/cpu.cc",
        "src/crc32c.cc",
        "src/failure.cc",
        "src/flat_search.cc",
        "src/hnsw_build.cc",
        "src/hnsw_builder.cc",
        "src/hnsw_index.cc",
        "src/hnsw_search.cc",
        "src/index_registry.cc",
        "src/ivf_build.cc",
        "src/ivf_index.cc",
        "src/ivf_search.cc",
        "src/kmeans.cc",
        "src/memory.cc",
        "src/quantizer.cc",
        "src/rotation.cc",
        "src/search_job.cc",
        "src/source.cc",
        "src/sparse.cc",
        "src/sparse_build.cc",
        "src/sparse_index.cc",
        "src/sparse_scan.cc",
        "src/sparse_search.cc",
        "src/simd/avx2.cc",
        "src/simd/avx512.cc",
        "src/simd/formats_avx2.cc",
        "src/simd/formats_avx512.cc",
        "src/simd/formats_neon.cc",
        "src/simd/formats_scalar.cc",
        "src/simd/neon.cc",
        "src/simd/scalar.cc",
        "src/thread_pool.cc",
        "src/vector_file.cc"
      ],
      "include_dirs": ["src", "<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=9", "NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS", "NODE_ADDON_API_DISABLE_DEPRECATED"],
      "cflags!": ["-fno-exceptions"],
      "cflags_cc!": ["-fno-exceptions", "-fno-rtti", "-std=gnu++17"],
      "cflags_cc": [
        "-std=c++20",
        "-O3",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-ffp-contract=off",
        "-fvisibility=hidden"
      ],
      "xcode_settings": {
        "CLANG_CXX_LANGUAGE_STANDARD": "c++20",
        "GCC_ENABLE_CPP_EXCEPTIONS": "YES",
        "GCC_OPTIMIZATION_LEVEL": "3",
        "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
        "OTHER_CPLUSPLUSFLAGS": [
          "-Wall",
          "-Wextra",
          "-Werror",
          "-ffp-contract=off"
        ]
      }
    }
  ]
}
